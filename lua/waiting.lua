-- Where jobs wait, and how many.
-- KEYS[1] prefix
-- Reply: {{queue, jobs, …}, unplaced jobs}
-- include shared/base.lua
local queues, reply = redis.call("HGETALL", prefix .. "queues"), {}
for i = 1, #queues, 2 do
  local jobs = tonumber(queues[i + 1])
  if jobs > 0 then reply[#reply + 1], reply[#reply + 2] = queues[i], jobs end
end
return { reply, redis.call("ZCARD", prefix .. "unplaced") }
