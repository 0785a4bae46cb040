-- How large code units are. To ask is not to use them.
-- KEYS[1] prefix
-- ARGV[1] msgpack: hashes
-- Reply: one a unit: its bytes, or 0 when it is not there
-- include shared/base.lua
local reply = {}
for i, hash in ipairs(cmsgpack.unpack(ARGV[1])) do reply[i] = redis.call("STRLEN", prefix .. "unit:" .. hash) end
return reply
