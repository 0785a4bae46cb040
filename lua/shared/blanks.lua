-- Takes jobs out of the middle of queues, and puts them there. Needs base.lua, offers.lua and moves.lua; runs.lua tells what a queue is.
-- Of a run with blanks, what it was and what it becomes: written once, by flush_queues.
local edited = { key = "", score = 0, run = "", before = "" }

local function flush_queues()
  if edited.run == edited.before then return end
  redis.call("ZREM", edited.key, edited.before)
  if string.find(edited.run, "%x") then redis.call("ZADD", edited.key, text_of(edited.score), edited.run) end
  edited.before = edited.run
end

local function edit_run(key, order)
  if edited.key == key and order >= edited.score and order < edited.score + #edited.run / ID then return end
  flush_queues()
  local run, score = unpack(redis.call("ZREVRANGEBYSCORE", key, text_of(order), "-inf", "WITHSCORES", "LIMIT", 0, 1))
  edited = { key = key, score = tonumber(score) or 0, run = run or "", before = run or "" }
end

-- Takes a job out of its queue, wherever it stands. Tells whether it was there. Then flush_queues.
local function take_out(queue, order, id)
  edit_run(prefix .. "queue:" .. queue, order)
  local at = (order - edited.score) * ID
  if string.sub(edited.run, at + 1, at + ID) ~= id then return false end
  edited.run = string.sub(edited.run, 1, at) .. BLANK .. string.sub(edited.run, at + ID + 1)
  return true
end

-- Puts a job at its place in a queue, in which others of its batch may stand around a blank. Then flush_queues.
local function put_in(queue, order, id)
  local key = prefix .. "queue:" .. queue
  edit_run(key, order)
  local at = (order - edited.score) * ID
  if edited.run == "" or at >= #edited.run then
    redis.call("ZADD", key, text_of(order), id)
  else
    edited.run = string.sub(edited.run, 1, at) .. id .. string.sub(edited.run, at + ID + 1)
  end
end

-- Whether it waited in its queue, in one way or another. What a claim passed over, or a lost node left behind, does not.
local function take_from_queue(id, job)
  if job.after then return redis.call("SREM", prefix .. "blocked", id) == 1 end
  if not job.offers then
    if take_out(job.queue, job.order, id) then return true end
  elseif redis.call("SISMEMBER", prefix .. "offered:" .. job.queue, id) == 1 then
    offering().withdraw(id, job.queue, job.offers)
    return true
  elseif redis.call("ZREM", prefix .. "unplaced", id) == 1 then
    return true
  end
  return redis.call("ZREM", prefix .. "delayed:" .. job.queue, id) == 1
end

-- Takes a queued job away from wherever it waits. Then flush_queues, and flush the offers.
local function take_away(id, job)
  if take_from_queue(id, job) then moves().count_waiting(job.queue, -1) else redis.call("HDEL", prefix .. "lost", id) end
end
