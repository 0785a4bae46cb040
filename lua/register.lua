-- Takes up a node's name and starts its lease, or renews it.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] name   [3] incarnation   [4] lease in ms   [5] facts   [6] ms that final records are kept
-- ARGV[7] "register" | "heartbeat"   [8] the node's terms: "protocol token"
-- Reply: "registered" | "taken" (another incarnation holds the lease) | {"refused", the terms of the nodes that are there};
--        of a heartbeat "renewed" | "lapsed"
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
local name, incarnation, facts, is_heartbeat, terms = ARGV[2], ARGV[3], ARGV[5], ARGV[7] == "heartbeat", ARGV[8]
local now = now_ms()

-- All that hold a lease have the same terms, so any one speaks for all.
local function terms_of_others()
  for _, other in ipairs(redis.call("ZRANGEBYSCORE", prefix .. "nodes", "(" .. text_of(now), "+inf", "LIMIT", 0, 2)) do
    if other ~= name then return redis.call("HGET", prefix .. "node:" .. other, "terms") end
  end
  return terms
end

if not is_heartbeat then
  local theirs = terms_of_others()
  if theirs ~= terms then return { "refused", theirs or "" } end
end
local holds = holds_lease(name, now)
local is_own = holds and redis.call("HGET", prefix .. "node:" .. name, "incarnation") == incarnation
if holds and not is_own then return is_heartbeat and "lapsed" or "taken" end

allow_over_memory_limit()
if not holds then moves().lose_node(name, now, ARGV[6]) end
if holds or not is_heartbeat then
  redis.call("HSET", prefix .. "node:" .. name, "incarnation", incarnation, "facts", facts, "terms", terms)
  redis.call("ZADD", prefix .. "nodes", now + tonumber(ARGV[4]), name)
end
publish_events("")
if is_heartbeat then return holds and "renewed" or "lapsed" end
return "registered"
