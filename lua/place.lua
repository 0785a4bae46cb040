-- Offers jobs anew that stand in `unplaced`, or refuses them.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] ms that final records are kept
-- ARGV[3] msgpack: id, offers, placement, refusal, and so on; a refusal is an outcome, or 0 for none
-- Reply: "placed". Jobs that are not unplaced any more are left alone.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
local ttl = ARGV[2]
local rows = cmsgpack.unpack(ARGV[3])
local now = now_ms()

local function place(id, offers, placement, refusal)
  local record = redis.call("GET", job_key(id))
  if not record then return end
  local job = jobs().read_live(record)
  local placed = jobs().placed_anew(record, job, offers, job.inputs, placement)
  if refusal == 0 then
    redis.call("SET", job_key(id), placed)
    offering().offer(id, job.queue, job.order, offers, true)
  else
    moves().count_waiting(job.queue, -1)
    moves().end_begun(id, placed, "n", attempts().history_of(id), refusal, now, ttl)
  end
end

allow_over_memory_limit()
for i = 1, #rows, 4 do
  if redis.call("ZREM", prefix .. "unplaced", rows[i]) == 1 then place(rows[i], rows[i + 1], rows[i + 2], rows[i + 3]) end
end
if made_offering then made_offering.flush() end
publish_events("")
return "placed"
