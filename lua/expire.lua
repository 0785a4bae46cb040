-- Ends jobs that waited longer than they may, and lists others. A queued job stands in `expiring` until it is begun; one that
-- is due stays there when a claim passes it over, and then in no queue.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] ms that final records are kept   [3] msgpack: id, outcome, and so on
-- Reply: {ms until the next one is due (-1: none is there), id, queue, label, ms that it may wait, attempt, past deaths, …}
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
-- include shared/blanks.lua
local DUE_AT_ONCE = 500
local key, ttl, rows = prefix .. "expiring", ARGV[2], cmsgpack.unpack(ARGV[3])
local now = now_ms()

local function is_due(id)
  local at = redis.call("ZSCORE", key, id)
  return at and tonumber(at) <= now
end

local function expire(id, outcome)
  local record = redis.call("GET", job_key(id))
  if not record then return redis.call("ZREM", key, id) end
  take_away(id, jobs().read_live(record))
  moves().end_begun(id, record, "n", attempts().history_of(id), outcome, now, ttl)
end

if #rows > 0 then allow_over_memory_limit() end
for i = 1, #rows, 2 do
  if is_due(rows[i]) then expire(rows[i], rows[i + 1]) end
end
flush_queues()
if made_offering then made_offering.flush() end
publish_events("")

local function next_due(from)
  local at = redis.call("ZRANGEBYSCORE", key, from, "+inf", "WITHSCORES", "LIMIT", 0, 1)[2]
  return at and math.max(0, at - now) or -1
end

local due = redis.call("ZRANGEBYSCORE", key, "-inf", text_of(now), "LIMIT", 0, DUE_AT_ONCE)
local reply = { #due < DUE_AT_ONCE and next_due("(" .. text_of(now)) or 0 }
for _, id in ipairs(due) do
  local record = redis.call("GET", job_key(id))
  if record then
    local at, job, history = #reply, jobs().read_live(record), attempts().history_of(id)
    reply[at + 1], reply[at + 2], reply[at + 3] = id, job.queue, job.label
    reply[at + 4], reply[at + 5], reply[at + 6] = job.expires - job.created, tonumber(history.attempt), history.past
  else
    redis.call("ZREM", key, id)
  end
end
return reply
