-- Where jobs wait, and how many. Of each queue so many runs are counted, and of what is offered all.
-- KEYS[1] prefix
-- Reply: {{queue, jobs, 1 when there are more or 0, …}, unplaced jobs}
-- include shared/base.lua
-- include shared/runs.lua
local MOST_RUNS = 1000
local reply = {}
for _, queue in ipairs(redis.call("SMEMBERS", prefix .. "queues")) do
  local key = prefix .. "queue:" .. queue
  local jobs = redis.call("SCARD", prefix .. "offered:" .. queue)
  for _, run in ipairs(redis.call("ZRANGE", key, 0, MOST_RUNS - 1)) do jobs = jobs + count_ids(run) end
  if jobs > 0 then
    local at = #reply
    reply[at + 1], reply[at + 2] = queue, jobs
    reply[at + 3] = redis.call("ZCARD", key) > MOST_RUNS and 1 or 0
  end
end
return { reply, redis.call("ZCARD", prefix .. "unplaced") }
