-- Whether data is lost: its last replica was removed, and it was not deleted.
-- KEYS[1] prefix
-- ARGV[1] msgpack: urls
-- Reply: one word a url: "lost" | "" (it is there, was deleted, or never was)
-- include shared/base.lua
-- include shared/catalog.lua
local reply = {}
for i, url in ipairs(cmsgpack.unpack(ARGV[1])) do reply[i] = redis.call("ZSCORE", lost_key, url) and "lost" or "" end
return reply
