-- Ends a node's lease; its running jobs go back to their queues without a death. Jobs that wait for it alone are unplaced.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] ms that final records are kept
-- Reply: "left"
-- include shared/base.lua
-- include shared/events.lua
-- include shared/offers.lua
-- include shared/moves.lua
local node = ARGV[2]
allow_over_memory_limit()
local ids = redis.call("SMEMBERS", prefix .. "running:" .. node)
lose_jobs(node, now_ms(), ARGV[3])
for _, id in ipairs(ids) do
  if redis.call("HDEL", prefix .. "lost", id) == 1 then
    local queue, order, offers = unpack(redis.call("HMGET", job_key(id), "queue", "order", "offers"))
    requeue(id, queue, order, offers)
  end
end
flush_offers()
publish_events("")
return "left"
