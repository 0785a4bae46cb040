-- Room in the queues for a batch. Needs base.lua. `parts` are those of submit.lua; `added` of each was counted already.
-- How many jobs of the part are not known, and not refused.
local function count_new(part, known, extras)
  local count = 0
  for n = part.before + 1, part.before + part.count do
    if not known[n] and not (extras[n] and extras[n].refusal ~= 0) then count = count + 1 end
  end
  return count
end

-- No more jobs than this can wait there. What is counted is exact, unless Redis evicted what it counts.
local function most_waiting(queue)
  return RUN * redis.call("ZCARD", prefix .. "queue:" .. queue) + redis.call("SCARD", prefix .. "offered:" .. queue)
    + redis.call("ZCARD", prefix .. "delayed:" .. queue) + redis.call("ZCARD", prefix .. "unplaced")
    + redis.call("SCARD", prefix .. "blocked")
end

-- By the count there is no room for the last of so many parts. Gives the reply, and takes back what was added; or nil, when
-- the count was wrong and is put right.
local function refusal(parts, last, limit)
  local queue, own = parts[last].queue, 0
  for at = 1, last do
    if parts[at].queue == queue then own = own + parts[at].added end
  end
  local waiting = math.min(redis.call("HGET", prefix .. "queues", queue) - own, most_waiting(queue))
  redis.call("HSET", prefix .. "queues", queue, text_of(waiting + own))
  if waiting + own <= limit then return nil end
  for at = 1, last do redis.call("HINCRBY", prefix .. "queues", parts[at].queue, text_of(-parts[at].added)) end
  return { "full", queue, text_of(waiting), text_of(limit) }
end

return { count_new = count_new, refusal = refusal }
