-- Ids of all queued and running jobs, of some perhaps twice, and forgets the names of empty queues.
-- KEYS[1] prefix
-- Reply: texts, each of them ids one behind the other, 36 bytes each, among them blanks
-- include shared/base.lua
local ids = {}
local function add(list)
  for _, id in ipairs(list) do ids[#ids + 1] = id end
end
local queues = redis.call("HGETALL", prefix .. "queues")
for i = 1, #queues, 2 do
  local queue, before = queues[i], #ids
  add(redis.call("ZRANGE", prefix .. "queue:" .. queue, 0, -1))
  add(redis.call("SMEMBERS", prefix .. "offered:" .. queue))
  add(redis.call("ZRANGE", prefix .. "delayed:" .. queue, 0, -1))
  if #ids == before and tonumber(queues[i + 1]) <= 0 then redis.call("HDEL", prefix .. "queues", queue) end
end
for _, node in ipairs(redis.call("ZRANGE", prefix .. "nodes", 0, -1)) do
  add(redis.call("HKEYS", prefix .. "running:" .. node))
end
add(redis.call("HKEYS", prefix .. "lost"))
add(redis.call("ZRANGE", prefix .. "unplaced", 0, -1))
add(redis.call("SMEMBERS", prefix .. "blocked"))
add(redis.call("ZRANGEBYSCORE", prefix .. "expiring", "-inf", text_of(now_ms())))
return ids
