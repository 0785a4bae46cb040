-- Gives the jobs of nodes whose leases ran out back to their queues, a death each; those that reach the most deaths, or run at
-- most once, are handed to the sweeping node to fail them, and listed until it has. Also lists jobs to be placed anew, and
-- blocked ones that wait for nothing any more.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] most deaths   [4] ms that final records are kept
-- Reply: {{id, attempt, deaths, 1 when it runs at most once, lost node, label, what is kept of the deaths, …},
--        {id, queue, inputs, …}, {id, queue, inputs, after, …}}, of which inputs are urls, and after are ids, one a line
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
local UNPLACED_AT_ONCE, BLOCKED_AT_ONCE = 500, 100
local node, most_deaths, ttl = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now = now_ms()
local lost_key, handed_key = prefix .. "lost", prefix .. "handed:" .. node
local lapsed = redis.call("ZRANGEBYSCORE", prefix .. "nodes", "-inf", text_of(lease_time(now)))
if #lapsed > 0 or redis.call("EXISTS", lost_key) == 1 then allow_over_memory_limit() end
for _, name in ipairs(lapsed) do moves().lose_node(name, now, ttl) end

local function is_at_most_once(record) return record and string.byte(record) >= AT_MOST_ONCE end

local leased = holds_lease(node, now)
local lost = redis.call("HGETALL", lost_key)
for i = 1, #lost, 2 do
  local id, decided, lost_node = lost[i], string.match(lost[i + 1], "^(=?)(.*)$")
  local history, is_decided = attempts().history_of(id), decided == "="
  local is_exhausted = is_decided or history.deaths + 1 >= most_deaths or is_at_most_once(redis.call("GET", job_key(id)))
  if not is_exhausted or leased then -- only a node with a lease can fail a job; without one it waits for the next that sweeps
    redis.call("HDEL", lost_key, id)
    if not is_decided then
      history.deaths = text_of(history.deaths + 1)
      attempts().add_death(history, "!" .. history.attempt .. ":" .. lost_node)
      attempts().remember(id, history)
    end
    if is_exhausted then
      redis.call("HSET", prefix .. "running:" .. node, id, attempts().entry_text(attempts().next_entry(history, text_of(now), "-")))
      redis.call("HSET", handed_key, id, lost_node)
    else
      moves().requeue(id)
    end
  end
end
if made_offering then made_offering.flush() end
publish_events("")

local exhausted, handed = {}, redis.call("HGETALL", handed_key)
for i = 1, #handed, 2 do
  local at, history = #exhausted, attempts().history_of(handed[i])
  exhausted[at + 1], exhausted[at + 2], exhausted[at + 3] = handed[i], history.attempt + 1, tonumber(history.deaths)
  local record = redis.call("GET", job_key(handed[i]))
  exhausted[at + 4], exhausted[at + 5] = is_at_most_once(record) and 1 or 0, handed[i + 1]
  exhausted[at + 6], exhausted[at + 7] = record and jobs().read_live(record).label or "", history.past
end
local unplaced = {}
for _, id in ipairs(redis.call("ZRANGE", prefix .. "unplaced", 0, UNPLACED_AT_ONCE - 1)) do
  local record = redis.call("GET", job_key(id))
  if record then
    local at, job = #unplaced, jobs().read_live(record)
    unplaced[at + 1], unplaced[at + 2], unplaced[at + 3] = id, job.queue, job.inputs
  else
    redis.call("ZREM", prefix .. "unplaced", id)
  end
end

local function has_ended(id)
  local first = redis.call("GETRANGE", job_key(id), 0, 0)
  return first == "" or jobs().is_final(first)
end

local function is_ready(after)
  for id in string.gmatch(after, "[^\n]+") do
    if not has_ended(id) then return false end
  end
  return true
end

-- Some of them, others each time: those that wait in vain do not keep the others from being found.
local ready = {}
for _, id in ipairs(redis.call("SRANDMEMBER", prefix .. "blocked", BLOCKED_AT_ONCE)) do
  local record = redis.call("GET", job_key(id))
  local job = record and jobs().read_live(record)
  if not job then
    redis.call("SREM", prefix .. "blocked", id)
  elseif is_ready(job.after) then
    local at = #ready
    ready[at + 1], ready[at + 2], ready[at + 3], ready[at + 4] = id, job.queue, job.inputs, job.after
  end
end
return { exhausted, unplaced, ready }
