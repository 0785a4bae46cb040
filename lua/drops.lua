-- Lists what a node has to drop.
-- KEYS[1] prefix
-- ARGV[1] node
-- Reply: url, sha256, and so on
-- include shared/base.lua
-- include shared/catalog.lua
return redis.call("HGETALL", drops_key(ARGV[1]))
