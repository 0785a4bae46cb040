-- What every script shares. All keys stand under one prefix with one hash tag, so a cluster of Redis keeps them together:
--   job:<id>      string: all that is known of a job for good: see records.lua
--   spec:<id>, outcome:<id>  what to run, until the job succeeds, and what came of it: only what is too long for the record;
--                 and what a cancel brought while the job ran         out:<id>  list of output pieces
--   queue:<name>  zset of runs of ids by order, lowest first: see runs.lua         queues  hash: name -> how many jobs wait
--   offer:<queue>|<taker>, later:<queue>|<taker>  zsets of ids by order, and by the time when they become visible: see
--                 offers.lua         offered:<queue>  set of the ids that stand in these        unplaced  zset of ids by order
--   delayed:<queue>  zset of ids of jobs that wait again, by the time when they go back into their queue, or are offered again
--   blocked       set of ids of queued jobs that wait for other jobs, and in no queue: see release.lua
--   expiring      zset of ids of queued jobs by the time up to which they may be begun: see expire.lua
--   running:<node>  hash id -> attempt, and so on: the job runs there. What stands in none of these and is not final is queued.
--   begun         hash id -> the attempts so far, of jobs that wait or run again: see attempts.lua
--   nodes  zset of names by end of lease       node:<name>  hash: incarnation, facts, terms       heard  see lease_time
--   lost          hash id -> lost node: jobs whose node is gone, for the next sweep to decide on; behind a "=" when one has, and
--                 the node is gone as well that it handed the job to
--   handed:<node> hash id -> lost node: exhausted jobs that a sweep gave to a node, until it failed them
--   taken:<node>  hash of the tokens of claims that took something, so that a claim whose reply was lost can be asked again
--   unit:<hash>   a code unit          seq  counts jobs
--   data:<url>    hash: facts ("size sha256 type" and behind a space "=codec", or nothing), created, @<node> for each replica
--   data-index    zset of urls, all with score 0: in the order of their bytes
--   data-lost     zset of urls by the time at which their last replica was lost
--   data-deleted  zset of "sha256 url" by the time at which they were deleted; for a week
--   data-of:<node>  set of urls        drops:<node>  hash url -> sha256: files that the node has to drop
-- A call of Redis costs a script some 1 µs, and each value of a call that takes many a fraction of that. So what every job
-- needs is done for all jobs of a script at once, and what few jobs need stands elsewhere, where nobody looks without reason.
-- KEYS[2], in every script, is a key that never exists: with two of one slot, a Redis Cluster that is moving the slot runs a
-- script where all keys are, or refuses it.
local prefix = KEYS[1]

-- The store's clock is the only one that counts.
local function now_ms()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Numbers go to Redis as text made here: left to itself Redis prints each as a floating-point number, at length.
local function text_of(number) return string.format("%d", number) end

local function job_key(id) return prefix .. "job:" .. id end

-- A job's place in a queue: see runs.lua.
local RUN, ID, BLANK = 16, 36, "                                    "

-- A command that takes many values, behind a key or, when that is nil, alone. A Lua stack takes some thousand arguments, so
-- long lists go in parts (an even size keeps pairs together). Lists that come back are joined, numbers added.
local function call_in_parts(command, key, list)
  local answer
  for from = 1, #list, 1000 do
    local to, part = math.min(from + 999, #list), nil
    if key then part = redis.call(command, key, unpack(list, from, to)) else part = redis.call(command, unpack(list, from, to)) end
    if not answer then
      answer = part
    elseif type(part) == "number" then
      answer = answer + part
    else
      for i = 1, #part do answer[#answer + 1] = part[i] end
    end
  end
  return answer or {}
end

-- Redis over its memory limit refuses a script's first write when that write may take memory, and none after a first
-- one that may not. Work that lets go of memory in the end begins with this, so that it is never the one refused.
local function allow_over_memory_limit() redis.call("UNLINK", prefix .. "nothing") end

-- The time that leases end by. It stands still while no node is heard of, until one is: then the server was away rather than
-- all nodes. `heard` says until when it goes on: somewhat longer than a heartbeat takes to be followed by the next.
local function lease_time(now) return math.min(now, tonumber(redis.call("GET", prefix .. "heard") or now)) end

local function holds_lease(node, now)
  local ends = tonumber(redis.call("ZSCORE", prefix .. "nodes", node) or 0)
  return ends > now or ends > 0 and ends > lease_time(now)
end
