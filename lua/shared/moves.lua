-- Moves of a job that several scripts make. Needs base.lua, events.lua and offers.lua.

-- A listpack takes values up to this size; another key for a small outcome would cost more than it holds.
local SMALL = 64

local function outcome_of(id)
  return redis.call("HGET", job_key(id), "outcome") or redis.call("GET", prefix .. "outcome:" .. id) or ""
end

-- Ends a job at the time `now`, a text. `outcome` is nil when it is there already, brought by a cancel. `except` needs no
-- event. The spec is the caller's to delete, many at a time.
local function end_job(id, state, outcome, now, ttl, job, except)
  local key = job_key(id)
  redis.call("PEXPIRE", key, ttl)
  if outcome and #outcome <= SMALL then
    redis.call("HSET", key, "state", state, "finished", now, "outcome", outcome)
  else
    redis.call("HSET", key, "state", state, "finished", now)
    if outcome then
      redis.call("SET", prefix .. "outcome:" .. id, outcome, "PX", ttl)
    else
      redis.call("PEXPIRE", prefix .. "outcome:" .. id, ttl)
    end
  end
  if job.offers then redis.call("HDEL", key, "offers", "inputs") end
  if job.out then redis.call("PEXPIRE", prefix .. "out:" .. id, ttl) end
  if job.watchers and job.watchers ~= except then
    tell_watchers(job.watchers, except, "finished", id, state, outcome or outcome_of(id))
  end
end

-- Takes a node's lease away, and its jobs: those to be cancelled end, the others wait in `lost`, queued in name, so nothing
-- that the node still says of them counts.
local function lose_jobs(node, now, ttl)
  local ids = redis.call("SMEMBERS", prefix .. "running:" .. node)
  for _, id in ipairs(ids) do
    local state, cancel, watchers, out, offers =
      unpack(redis.call("HMGET", job_key(id), "state", "cancel", "watchers", "out", "offers"))
    if state == "running" and cancel then
      redis.call("UNLINK", prefix .. "spec:" .. id)
      end_job(id, "cancelled", nil, text_of(now), ttl, { watchers = watchers, out = out, offers = offers })
    elseif state == "running" then
      redis.call("HSET", job_key(id), "state", "queued")
      redis.call("HSET", prefix .. "lost", id, node)
    end
  end
  redis.call("UNLINK", prefix .. "running:" .. node, prefix .. "handed:" .. node, prefix .. "node:" .. node)
  redis.call("ZREM", prefix .. "nodes", node)
  offering().strand(node)
end

-- Puts a job back at its old place in its queue, or offers it once more, to all of its takers at once: then flush_offers.
local function requeue(id, queue, order, offers)
  if offers then
    offering().offer(id, queue, order, offers, false)
    return
  end
  redis.call("ZADD", prefix .. "queue:" .. queue, order, id)
  redis.call("SADD", prefix .. "queues", queue)
  wake(queue, 0)
end
