-- Ids of some queued and running jobs, of some perhaps twice: all that run, of each queue those that are last in line, and of
-- those that wait in other ways any.
-- KEYS[1] prefix
-- ARGV[1] how many of each queue and of each way to wait, or somewhat more
-- Reply: texts, each of them ids one behind the other, 36 bytes each, among them blanks
-- include shared/base.lua
-- include shared/runs.lua
local most, ids = tonumber(ARGV[1]), {}
local function add(list)
  for _, id in ipairs(list) do ids[#ids + 1] = id end
end

local function add_last(key)
  local from, step, found, runs = 0, math.ceil(most / RUN), 0, nil
  repeat
    runs = redis.call("ZREVRANGE", key, from, from + step - 1)
    for _, run in ipairs(runs) do found = found + count_ids(run) end
    add(runs)
    from = from + step
  until #runs < step or found >= most
end

for _, queue in ipairs(redis.call("HKEYS", prefix .. "queues")) do
  add_last(prefix .. "queue:" .. queue)
  add(redis.call("SRANDMEMBER", prefix .. "offered:" .. queue, most))
  add(redis.call("ZRANGE", prefix .. "delayed:" .. queue, 0, most - 1))
end
for _, node in ipairs(redis.call("ZRANGE", prefix .. "nodes", 0, -1)) do
  add(redis.call("HKEYS", prefix .. "running:" .. node))
end
add(redis.call("HRANDFIELD", prefix .. "lost", most))
add(redis.call("ZREVRANGE", prefix .. "unplaced", 0, most - 1))
add(redis.call("SRANDMEMBER", prefix .. "blocked", most))
add(redis.call("ZRANGEBYSCORE", prefix .. "expiring", "-inf", text_of(now_ms()), "LIMIT", 0, most))
return ids
