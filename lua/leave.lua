-- Ends a node's lease; its running jobs go back to their queues without a death, but those that run at most once: they may
-- have begun, so they are lost. Jobs that wait for it alone are unplaced.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] ms that final records are kept
-- Reply: "left"
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
allow_over_memory_limit()
for _, id in ipairs(moves().lose_jobs(ARGV[2], now_ms(), ARGV[3])) do
  local record = redis.call("GET", job_key(id))
  if record and string.byte(record) >= AT_MOST_ONCE then
    redis.call("HSET", prefix .. "lost", id, ARGV[2])
  else
    moves().requeue(id)
  end
end
if made_offering then made_offering.flush() end
publish_events("")
return "left"
