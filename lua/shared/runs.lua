-- Queues. Needs base.lua. A queue is a zset of runs: ids of jobs whose orders follow each other, one behind the other in one
-- member, whose score is the order of the first: the job at place n has the order score + n. The order of a job is
-- -priority * 1e12 + a number that counts. A member for each job would cost several times as much, in time and memory.
-- Runs never overlap: all of a run were submitted at once, and are taken from its beginning, so a job that comes back comes
-- before what is left of its run. Whatever is taken from the middle leaves a blank; no run is all blanks.
local function count_ids(run)
  if not string.find(run, " ", 1, true) then return #run / ID end
  return #string.gsub(run, " ", "") / ID
end

-- Runs from the beginning of a queue, each before its score, in which are enough jobs if it has them.
local function first_runs(queue, count)
  local key, most, found = prefix .. "queue:" .. queue, math.ceil(count / RUN), 0
  local runs = redis.call("ZRANGE", key, 0, most - 1, "WITHSCORES")
  for i = 1, #runs, 2 do found = found + count_ids(runs[i]) end
  if #runs < 2 * most or found >= count then return runs end
  return redis.call("ZRANGE", key, 0, most + count - found - 1, "WITHSCORES")
end

-- Takes up to so many jobs from the beginning of a queue, and adds their ids to the list.
local function take_first(queue, count, ids)
  local key, most, used, left, score = prefix .. "queue:" .. queue, #ids + count, 0, "", 0
  local runs = first_runs(queue, count)
  for i = 1, #runs, 2 do
    if #ids == most then break end
    local run, at = runs[i], 1
    while at < #run and #ids < most do
      local id = string.sub(run, at, at + ID - 1)
      if id ~= BLANK then ids[#ids + 1] = id end
      at = at + ID
    end
    used, left, score = used + 1, string.sub(run, at), runs[i + 1] + (at - 1) / ID
  end
  if used > 0 then redis.call("ZREMRANGEBYRANK", key, 0, used - 1) end
  if string.find(left, "%x") then redis.call("ZADD", key, text_of(score), left) end
end
