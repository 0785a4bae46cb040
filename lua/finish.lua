-- Ends attempts, or gives jobs back to their queues.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node, which is not woken   [3] ms that final records are kept
-- ARGV[4] msgpack: id, attempt, next, outcome, and so on, all of them texts or bytes; next is the letter of a final state, or
--         "q": give back, then deaths, throws and a delay in ms stand in place of the outcome, spaces between, and a word on
--         the death that the attempt ended with, if it did: see attempts.lua
-- Reply: "committed": all of them.  {"committed" | "fenced" | {"cancelled", outcome}, …}: one a row
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
local node, ttl = ARGV[2], ARGV[3]
local rows = cmsgpack.unpack(ARGV[4])
local now = now_ms()
local leased = holds_lease(node, now)
local running, handed_key = prefix .. "running:" .. node, prefix .. "handed:" .. node
local stopped, specs = {}, {}

local ids, keys = {}, {}
for i = 1, #rows, 4 do
  local id = rows[i]
  ids[#ids + 1], keys[#keys + 1] = id, job_key(id)
end
local entries, records = leased and call_in_parts("HMGET", running, ids) or {}, call_in_parts("MGET", nil, keys)

local function cancelled(id) return { "cancelled", redis.call("GET", prefix .. "outcome:" .. id) or "" } end

-- A job that runs here under this attempt, and of which there is more to know.
local function commit(id, record, entry, next_state, outcome)
  local history = attempts().history_with(id, entry, node)
  if entry.attempt ~= "1" then redis.call("HDEL", handed_key, id) end
  if entry.is_cancelled then
    moves().end_begun(id, record, "r", history, nil, now, ttl, node)
    return cancelled(id)
  end
  if next_state ~= "q" then
    moves().end_begun(id, record, next_state, history, outcome, now, ttl, node)
    return "committed"
  end
  local delay, death
  history.deaths, history.throws, delay, death = string.match(outcome, "^(%d+) (%d+) (%d+) ?(%S*)$")
  if death ~= "" then attempts().add_death(history, death) end
  history.back_attempt, history.back_node = entry.attempt, node
  attempts().remember(id, history)
  moves().requeue(id, tonumber(delay))
  return "committed"
end

-- A commit that came before, and whose reply may have been lost, is told what it was told then.
local function repeated(id, attempt, next_state)
  local record = redis.call("GET", job_key(id))
  if not record then return "fenced" end
  local job = jobs().is_final(record) and jobs().read_final(record)
  local history = job and attempts().read_history(job.history) or attempts().history_of(id)
  if next_state == "q" and history.back_attempt == attempt and history.back_node == node then return "committed" end
  if not job or history.node ~= node or history.attempt ~= attempt then return "fenced" end
  if job.letter == "r" then return cancelled(id) end
  return job.letter == next_state and "committed" or "fenced"
end

allow_over_memory_limit()
local reply, all_committed, seen = {}, true, {}
for i, id in ipairs(ids) do
  local attempt, next_state, outcome = rows[4 * i - 2], rows[4 * i - 1], rows[4 * i]
  local record, answer = records[i], "committed"
  local entry = record and not seen[id] and entries[i]
  local usual = entry and attempt == "1" and next_state ~= "q" and string.match(entry, "^1 %d+")
  local parsed = entry and not usual and attempts().read_entry(entry)
  if usual then
    if next_state == "s" and string.byte(record) % 2 == OWN_SPEC then specs[#specs + 1] = prefix .. "spec:" .. id end
    end_job(keys[i], record, next_state, usual .. " " .. node, outcome, now, ttl, node)
  elseif parsed and parsed.attempt == attempt then
    answer = commit(id, record, parsed, next_state, outcome)
  else
    answer = repeated(id, attempt, next_state)
    entry = nil
  end
  if entry then
    stopped[#stopped + 1], seen[id] = id, true
  end
  if answer ~= "committed" then all_committed = false end
  reply[i] = answer
end
call_in_parts("HDEL", running, stopped)
call_in_parts("UNLINK", nil, specs)
if made_offering then made_offering.flush() end
publish_events(node)
if all_committed then return "committed" end
return reply
