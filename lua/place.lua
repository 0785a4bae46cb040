-- Offers jobs anew that stand in `unplaced`, or refuses them.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] ms that final records are kept
-- ARGV[3] msgpack: id, offers, placement, refusal, and so on; a refusal is an outcome, or 0 for none
-- Reply: "placed". Jobs that are not unplaced any more are left alone.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/offers.lua
-- include shared/moves.lua
local ttl = ARGV[2]
local rows = cmsgpack.unpack(ARGV[3])
local now = text_of(now_ms())

local function place(id, offers, placement, refusal)
  local key = job_key(id)
  local queue, order, watchers, out = unpack(redis.call("HMGET", key, "queue", "order", "watchers", "out"))
  if not queue then return end
  redis.call("HSET", key, "offers", offers, "placement", placement)
  if refusal == 0 then
    offering().offer(id, queue, order, offers, true)
    return
  end
  redis.call("UNLINK", prefix .. "spec:" .. id)
  end_job(id, "failed", refusal, now, ttl, { watchers = watchers, out = out, offers = offers })
end

allow_over_memory_limit()
for i = 1, #rows, 4 do
  if redis.call("ZREM", unplaced_key, rows[i]) == 1 then place(rows[i], rows[i + 1], rows[i + 2], rows[i + 3]) end
end
flush_offers()
publish_events("")
return "placed"
