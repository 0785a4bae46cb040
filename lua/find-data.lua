-- Reads entries of the catalog.
-- KEYS[1] prefix
-- ARGV[1] msgpack: urls
-- Reply: one a url: the fields and values of its hash, none for what is not there
-- include shared/base.lua
-- include shared/catalog.lua
local reply = {}
for i, url in ipairs(cmsgpack.unpack(ARGV[1])) do reply[i] = redis.call("HGETALL", data_key(url)) end
return reply
