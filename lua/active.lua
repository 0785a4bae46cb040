-- Ids of all queued and running jobs, and forgets the names of empty queues.
-- KEYS[1] prefix
-- Reply: texts, each of them ids one behind the other, 36 bytes each, among them blanks
-- include shared/base.lua
local ids = {}
local function add(list)
  for _, id in ipairs(list) do ids[#ids + 1] = id end
end
for _, queue in ipairs(redis.call("SMEMBERS", prefix .. "queues")) do
  local queued = redis.call("ZRANGE", prefix .. "queue:" .. queue, 0, -1)
  local offered = redis.call("SMEMBERS", prefix .. "offered:" .. queue)
  if #queued + #offered == 0 then redis.call("SREM", prefix .. "queues", queue) end
  add(queued)
  add(offered)
end
for _, node in ipairs(redis.call("ZRANGE", prefix .. "nodes", 0, -1)) do
  add(redis.call("HKEYS", prefix .. "running:" .. node))
end
add(redis.call("HKEYS", prefix .. "lost"))
add(redis.call("ZRANGE", prefix .. "unplaced", 0, -1))
return ids
