-- Moves of a job that several scripts make, if seldom. Needs all others but catalog.lua.

-- So many more jobs wait in a queue: in it, or offered, unplaced or delayed. What a lost node left behind does not count.
local function count_waiting(queue, more) redis.call("HINCRBY", prefix .. "queues", queue, text_of(more)) end

-- end_job, for a job that has a history, or offers, or a spec of its own, with all that such a job may have.
local function end_begun(id, record, letter, history, outcome, now, ttl, except)
  if history.attempt ~= "0" then
    attempts().forget(id)
    redis.call("PEXPIRE", prefix .. "out:" .. id, ttl)
  end
  if string.byte(record) > 0 then
    if letter == "s" then redis.call("UNLINK", prefix .. "spec:" .. id) end
    redis.call("ZREM", prefix .. "expiring", id)
  end
  end_job(job_key(id), record, letter, attempts().history_text(history), outcome, now, ttl, except)
end

-- At its old place, or offered to all of its takers at once: then flush the offers.
local function put_back(id, job)
  if job.offers then
    offering().offer(id, job.queue, job.order, job.offers, false)
  else
    redis.call("ZADD", prefix .. "queue:" .. job.queue, text_of(job.order), id)
    wake(job.queue, 0)
  end
end

-- Has a job that ran wait again, after `delay` ms when there is one. Then flush the offers.
local function requeue(id, delay)
  local record = redis.call("GET", job_key(id))
  if not record then return attempts().forget(id) end
  local job = jobs().read_live(record)
  count_waiting(job.queue, 1)
  if job.expires then redis.call("ZADD", prefix .. "expiring", text_of(job.expires), id) end
  if not delay or delay == 0 then return put_back(id, job) end
  redis.call("ZADD", prefix .. "delayed:" .. job.queue, text_of(now_ms() + delay), id)
  wake(job.queue, delay)
end

-- Takes a job from the node that runs it: to be queued again, or else, when a cancel was asked for, as cancelled. Tells
-- whether it is to be queued. The node's entry is the caller's to delete.
local function take_from(node, id, entry, now, ttl)
  local history = attempts().history_with(id, entry, node)
  if not entry.is_cancelled then
    attempts().remember(id, history)
    return true
  end
  local record = redis.call("GET", job_key(id))
  if record then end_begun(id, record, "r", history, nil, now, ttl) end
  return false
end

-- Takes a node's lease away, and its jobs: nothing that the node still says of them counts. Those to be cancelled end, those
-- that a sweep had handed to the node are for the next one to hand on, the ids of the others come back: they are queued in name.
local function lose_jobs(node, now, ttl)
  local entries, handed_key, waiting = redis.call("HGETALL", prefix .. "running:" .. node), prefix .. "handed:" .. node, {}
  for i = 1, #entries, 2 do
    local id, entry = entries[i], attempts().read_entry(entries[i + 1])
    if take_from(node, id, entry, now, ttl) then
      local lost_node = entry.token == "-" and redis.call("HGET", handed_key, id)
      if lost_node then redis.call("HSET", prefix .. "lost", id, "=" .. lost_node) else waiting[#waiting + 1] = id end
    end
  end
  redis.call("UNLINK", prefix .. "running:" .. node, prefix .. "taken:" .. node, handed_key, prefix .. "node:" .. node)
  redis.call("ZREM", prefix .. "nodes", node)
  if redis.call("EXISTS", prefix .. "nodes") == 0 then redis.call("UNLINK", prefix .. "heard") end
  offering().strand(node)
  return waiting
end

-- The same, for the next sweep to decide on the jobs.
local function lose_node(node, now, ttl)
  local lost = {}
  for _, id in ipairs(lose_jobs(node, now, ttl)) do
    lost[#lost + 1] = id
    lost[#lost + 1] = node
  end
  call_in_parts("HSET", prefix .. "lost", lost)
end

return {
  count_waiting = count_waiting, end_begun = end_begun, put_back = put_back, requeue = requeue, take_from = take_from,
  lose_jobs = lose_jobs, lose_node = lose_node,
}
