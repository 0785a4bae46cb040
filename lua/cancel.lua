-- Cancels jobs: queued ones at once, running ones by marking them and telling the node that runs them.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] ms that final records are kept   [3] outcome   [4] msgpack: ids
-- Reply: one word a job: "cancelled" | "cancelling" | "stopping" | "final" | "unknown"
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
-- include shared/blanks.lua
local ttl, outcome = ARGV[2], ARGV[3]
local ids = cmsgpack.unpack(ARGV[4])
local now, running = now_ms(), attempts().find_running(ids)

local function ask_node(id, node, entry)
  local was_asked = entry.is_cancelled
  if not was_asked then
    entry.is_cancelled = true
    redis.call("HSET", prefix .. "running:" .. node, id, attempts().entry_text(entry))
    redis.call("SET", prefix .. "outcome:" .. id, outcome)
  end
  tell(node, "cancel", id, entry.attempt, "")
  return was_asked and "stopping" or "cancelling"
end

local function cancel(id)
  local record = redis.call("GET", job_key(id))
  if not record then return "unknown" end
  if jobs().is_final(record) then return "final" end
  if running[id] then return ask_node(id, running[id].node, running[id].entry) end
  take_away(id, jobs().read_live(record))
  moves().end_begun(id, record, "w", attempts().history_of(id), outcome, now, ttl)
  return "cancelled"
end

allow_over_memory_limit()
local reply = {}
for i, id in ipairs(ids) do reply[i] = cancel(id) end
flush_queues()
if made_offering then made_offering.flush() end
publish_events("")
return reply
