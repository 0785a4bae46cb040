-- Cancels jobs: queued ones at once, running ones by marking them and telling the node that runs them.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] ms that final records are kept   [3] outcome   [4] msgpack: ids
-- Reply: one word a job: "cancelled" | "cancelling" | "final" | "unknown"
-- include shared/base.lua
-- include shared/events.lua
-- include shared/offers.lua
-- include shared/moves.lua
local ttl, outcome = ARGV[2], ARGV[3]
local now = text_of(now_ms())

-- From wherever a queued job waits.
local function take_away(id, queue, offers)
  local waits = offers and unplaced_key or prefix .. "queue:" .. queue
  if redis.call("ZREM", waits, id) == 1 or redis.call("HDEL", prefix .. "lost", id) == 1 then return end
  if offers then offering().withdraw(id, queue, offers) end
end

local function cancel(id)
  local key = job_key(id)
  local state, node, attempt, queue, marked, watchers, out, offers =
    unpack(redis.call("HMGET", key, "state", "node", "attempt", "queue", "cancel", "watchers", "out", "offers"))
  if not state then return "unknown" end
  if state == "queued" then
    take_away(id, queue, offers)
    redis.call("UNLINK", prefix .. "spec:" .. id)
    end_job(id, "cancelled", outcome, now, ttl, { watchers = watchers, out = out, offers = offers })
    return "cancelled"
  end
  if state ~= "running" then return "final" end
  if not marked then
    redis.call("HSET", key, "cancel", "1")
    if #outcome <= SMALL then
      redis.call("HSET", key, "outcome", outcome)
    else
      redis.call("SET", prefix .. "outcome:" .. id, outcome)
    end
  end
  tell(node, "cancel", id, attempt, "")
  return "cancelling"
end

allow_over_memory_limit()
local reply = {}
for _, id in ipairs(cmsgpack.unpack(ARGV[4])) do reply[#reply + 1] = cancel(id) end
flush_offers()
publish_events("")
return reply
