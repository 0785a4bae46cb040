-- Ends attempts, or gives jobs back to their queues.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node, which is not woken   [3] ms that final records are kept
-- ARGV[4] msgpack: id, attempt, next, outcome, deaths, throws, and so on, all of them texts or bytes
-- Reply: "committed": all of them.  {"committed" | "fenced" | {"cancelled", outcome}, …}: one a row
-- include shared/base.lua
-- include shared/events.lua
-- include shared/offers.lua
-- include shared/moves.lua
local node, ttl = ARGV[2], ARGV[3]
local rows = cmsgpack.unpack(ARGV[4])
local leased = holds_lease(node, now_ms())
local now = text_of(now_ms())
local running_key, handed_key = prefix .. "running:" .. node, prefix .. "handed:" .. node
local any_handed = redis.call("EXISTS", handed_key) == 1
local reply, all_committed = {}, true
local stopped, specs = {}, {}

local function cancelled(id) return { "cancelled", outcome_of(id) } end

local function commit(id, next_state, outcome, deaths, throws, job)
  stopped[#stopped + 1] = id
  if any_handed then redis.call("HDEL", handed_key, id) end
  if next_state == "queued" and not job.cancel then
    local key = job_key(id)
    redis.call("HSET", key, "state", "queued", "deaths", deaths, "throws", throws, "back", job.attempt .. " " .. node)
    local queue, order = unpack(redis.call("HMGET", key, "queue", "order"))
    requeue(id, queue, order, job.offers)
    return "committed"
  end
  specs[#specs + 1] = prefix .. "spec:" .. id
  if job.cancel then
    end_job(id, "cancelled", nil, now, ttl, job, node)
    return cancelled(id)
  end
  end_job(id, next_state, outcome, now, ttl, job, node)
  return "committed"
end

-- A commit that came before, and whose reply may have been lost, is told what it was told then.
local function repeated(id, attempt, next_state, job)
  if next_state == "queued" then
    local back = redis.call("HGET", job_key(id), "back")
    if back == attempt .. " " .. node then return "committed" end
  end
  if job.node ~= node or job.attempt ~= attempt then return "fenced" end
  if job.state == "cancelled" and job.cancel then return cancelled(id) end
  local is_final = job.state ~= "queued" and job.state ~= "running"
  return is_final and job.state == next_state and "committed" or "fenced"
end

allow_over_memory_limit()
for i = 1, #rows, 6 do
  local id, attempt, next_state = rows[i], rows[i + 1], rows[i + 2]
  local found = redis.call("HMGET", job_key(id), "state", "node", "attempt", "cancel", "watchers", "out",
    "offers")
  local job = {
    state = found[1], node = found[2], attempt = found[3], cancel = found[4], watchers = found[5], out = found[6],
    offers = found[7],
  }
  local answer
  if leased and job.state == "running" and job.node == node and job.attempt == attempt then
    answer = commit(id, next_state, rows[i + 3], rows[i + 4], rows[i + 5], job)
  else
    answer = repeated(id, attempt, next_state, job)
  end
  if answer ~= "committed" then all_committed = false end
  reply[#reply + 1] = answer
end
call_in_parts("SREM", running_key, stopped)
delete_in_parts(specs)
flush_offers()
publish_events(node)
if all_committed then return "committed" end
return reply
