-- The nodes whose leases hold.
-- KEYS[1] prefix
-- Reply: name, end of lease in ms, number of running jobs, facts, and so on
-- include shared/base.lua
local reply = {}
local leases = redis.call("ZRANGEBYSCORE", prefix .. "nodes", "(" .. text_of(lease_time(now_ms())), "+inf", "WITHSCORES")
for i = 1, #leases, 2 do
  local name, at = leases[i], #reply
  reply[at + 1], reply[at + 2] = name, tonumber(leases[i + 1])
  reply[at + 3] = redis.call("HLEN", prefix .. "running:" .. name)
  reply[at + 4] = redis.call("HGET", prefix .. "node:" .. name, "facts") or ""
end
return reply
