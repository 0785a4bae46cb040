-- Reads code units; reading is using.
-- KEYS[1] prefix
-- ARGV[1] ms that units outlive their use   [2] msgpack: hashes
-- Reply: one a unit: its bytes, or nil
-- include shared/base.lua
local reply = {}
for i, hash in ipairs(cmsgpack.unpack(ARGV[2])) do
  reply[i] = redis.call("GETEX", prefix .. "unit:" .. hash, "PX", ARGV[1])
end
return reply
