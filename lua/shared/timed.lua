-- Jobs that wait for a time, as claims see them. Needs base.lua, jobs.lua, offers.lua and moves.lua.
-- How many delayed jobs a claim puts back of each queue, and how many overdue ones it passes over.
local DUE_AT_ONCE, PASSED_AT_ONCE = 1000, 1000
local passed = 0
local function delayed_key(queue) return prefix .. "delayed:" .. queue end

local function put_back_due(queue, now)
  local ids = redis.call("ZRANGEBYSCORE", delayed_key(queue), "-inf", text_of(now), "LIMIT", 0, DUE_AT_ONCE)
  call_in_parts("ZREM", delayed_key(queue), ids)
  for _, id in ipairs(ids) do
    local record = redis.call("GET", job_key(id))
    if record then moves().put_back(id, jobs().read_live(record)) end
  end
end

-- Those that may still be begun. The others are passed over: they are in no queue any more, and in `expiring` until they end.
local function in_time(ids, now)
  local expiries, kept = call_in_parts("ZMSCORE", prefix .. "expiring", ids), {}
  for i, id in ipairs(ids) do
    if not expiries[i] or tonumber(expiries[i]) > now then kept[#kept + 1] = id end
  end
  call_in_parts("ZREM", prefix .. "expiring", kept)
  passed = passed + #ids - #kept
  return kept
end

-- Takes jobs off the queues, by a function that adds as many to a list as are wanted.
local function take(take_some, queues, node, now)
  for _, queue in ipairs(queues) do
    put_back_due(queue .. "|" .. node, now)
    put_back_due(queue, now)
  end
  if made_offering then made_offering.flush() end
  local ids, found = {}, 0
  repeat
    found = #take_some(ids)
    ids = in_time(ids, now)
  until #ids == found or passed >= PASSED_AT_ONCE
  return ids
end

-- When the next one is due, in ms since the epoch.
local function next_due(queues, node)
  if passed >= PASSED_AT_ONCE then return 0 end
  local earliest
  for _, queue in ipairs(queues) do
    for _, name in ipairs({ queue .. "|" .. node, queue }) do
      local at = tonumber(redis.call("ZRANGE", delayed_key(name), 0, 0, "WITHSCORES")[2])
      if at and (not earliest or at < earliest) then earliest = at end
    end
  end
  return earliest
end

return { take = take, next_due = next_due }
