-- Has jobs wait in their queues, or be offered, or end, that stand in `blocked`: what they waited for has ended.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] ms that final records are kept
-- ARGV[3] msgpack: id, offers, inputs, placement, letter of a final state, outcome, and so on; 0 stands for no offers, no
--         placement, and for the last two when the job is to wait; "f" or "c" when it ends
-- Reply: "released". Jobs that are not blocked any more are left alone.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
-- include shared/blanks.lua
local ENDS = { f = "n", c = "w" }
local ttl, rows = ARGV[2], cmsgpack.unpack(ARGV[3])
local now = now_ms()

local function given(value) return value ~= 0 and value or nil end

local function release(id, offers, inputs, placement, letter, outcome)
  local record = redis.call("GET", job_key(id))
  if not record then return end
  local job = jobs().read_live(record)
  if letter then
    moves().count_waiting(job.queue, -1)
    moves().end_begun(id, record, ENDS[letter], attempts().history_of(id), outcome, now, ttl)
    return
  end
  redis.call("SET", job_key(id), jobs().placed_anew(record, job, offers, inputs, placement))
  if offers then
    offering().offer(id, job.queue, job.order, offers, true)
  else
    put_in(job.queue, job.order, id)
    wake(job.queue, 0)
  end
end

allow_over_memory_limit()
for i = 1, #rows, 6 do
  if redis.call("SREM", prefix .. "blocked", rows[i]) == 1 then
    release(rows[i], given(rows[i + 1]), rows[i + 2], given(rows[i + 3]), given(rows[i + 4]), rows[i + 5])
  end
end
flush_queues()
if made_offering then made_offering.flush() end
publish_events("")
return "released"
