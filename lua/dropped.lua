-- Forgets what a node had to drop; a note that was renewed with another hash stays.
-- KEYS[1] prefix
-- ARGV[1] node   [2] msgpack: url, sha256, and so on
-- Reply: "forgotten"
-- include shared/base.lua
-- include shared/catalog.lua
local key, rows = drops_key(ARGV[1]), cmsgpack.unpack(ARGV[2])
allow_over_memory_limit()
for i = 1, #rows, 2 do
  if redis.call("HGET", key, rows[i]) == rows[i + 1] then redis.call("HDEL", key, rows[i]) end
end
return "forgotten"
