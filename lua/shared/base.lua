-- What every script shares. All keys stand under one prefix with one hash tag, so a cluster of Redis keeps them together:
--   job:<id>      hash: state, queue, label, order, created, print, watchers; later attempt, deaths, throws, node,
--                 started, finished; cancel (was asked for while running), back (attempt and node of the last give-back),
--                 out (bytes of output kept, -1 when cut), piece (attempt and index of the last piece), streams (the
--                 attempt whose result is a stream of items); placement, and inputs (urls, one a line) and offers until
--                 it is final.
--                 Its values are seldom over 64 bytes, so Redis keeps it as one small listpack.
--   spec:<id>     what to run; gone when the job is final, `print` then stands for it
--   outcome:<id>  what came of it, unless it is small and stands in the job's field `outcome`      out:<id>  list of output pieces
--   queue:<name>  zset of ids by order, lowest first: -priority * 1e12 + sequence      queues  set of names in use
--   offer:<queue>|<taker>, later:<queue>|<taker>  zsets of ids by order, and by the time when they become visible: see
--                 offers.lua         offered:<queue>  set of the ids that stand in these        unplaced  zset of ids by order
--   running:<node>  set of ids         nodes  zset of names by end of lease       node:<name>  hash: incarnation, facts, terms
--   lost          hash id -> lost node: jobs whose node is gone, for the next sweep to decide on
--   handed:<node> hash id -> lost node: exhausted jobs that a sweep gave to a node, until it failed them
--   taken:<node>:<token>  what a claim took, so that a claim whose reply was lost can be asked again
--   unit:<hash>   a code unit          seq  counts jobs
--   data:<url>    hash: facts ("size sha256 type" and behind a space "=codec", or nothing), created, @<node> for each replica
--   data-index    zset of urls, all with score 0: in the order of their bytes
--   data-of:<node>  set of urls        drops:<node>  hash url -> sha256: files that the node has to drop
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

-- A Lua stack takes some thousand arguments, so long lists go in parts (an even size keeps pairs together).
local function call_in_parts(command, key, list)
  for from = 1, #list, 1000 do
    redis.call(command, key, unpack(list, from, math.min(from + 999, #list)))
  end
end

local function delete_in_parts(keys)
  for from = 1, #keys, 1000 do
    redis.call("UNLINK", unpack(keys, from, math.min(from + 999, #keys)))
  end
end

-- Redis over its memory limit refuses a script's first write when that write may take memory, and none after a first
-- one that may not. Work that lets go of memory in the end begins with this, so that it is never the one refused.
local function allow_over_memory_limit() redis.call("UNLINK", prefix .. "nothing") end

local function holds_lease(node, now)
  local ends = redis.call("ZSCORE", prefix .. "nodes", node)
  return ends and tonumber(ends) > now
end

local function add_watcher(key, watchers, node)
  watchers = watchers or ""
  if string.find(" " .. watchers .. " ", " " .. node .. " ", 1, true) then return end
  redis.call("HSET", key, "watchers", watchers == "" and node or watchers .. " " .. node)
end
