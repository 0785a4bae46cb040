-- Takes up a node's name and starts its lease, or renews it.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] name   [3] incarnation   [4] lease in ms   [5] facts   [6] ms that final records are kept
-- ARGV[7] "register" | "heartbeat"   [8] the node's terms: "protocol token"
-- Reply: "registered" | "taken" (another incarnation holds the lease) | {"refused", the terms of the nodes that are there,
--        "1": they were heard of lately, or "0"}; of a heartbeat "renewed" | "lapsed"
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
local name, incarnation, facts, is_heartbeat, terms = ARGV[2], ARGV[3], ARGV[5], ARGV[7] == "heartbeat", ARGV[8]
local lease, nodes_key = tonumber(ARGV[4]), prefix .. "nodes"
local now = now_ms()
local clock = lease_time(now)

-- All that hold a lease have the same terms, so any one speaks for all.
local function terms_of_others()
  for _, other in ipairs(redis.call("ZRANGEBYSCORE", nodes_key, "(" .. text_of(clock), "+inf", "LIMIT", 0, 2)) do
    if other ~= name then return redis.call("HGET", prefix .. "node:" .. other, "terms") end
  end
  return terms
end

-- After a silence, leases end as much later as it lasted; after one of a whole lease they begin anew, for each node takes
-- its time to find the server again.
local function end_silence(counted)
  local leases = redis.call("ZRANGEBYSCORE", nodes_key, "(" .. text_of(clock), "+inf", "WITHSCORES")
  local is_long = now - clock + counted >= lease
  for i = 1, #leases, 2 do
    redis.call("ZADD", nodes_key, text_of(is_long and now + lease or leases[i + 1] + now - clock), leases[i])
  end
end

local function hear()
  local counted = math.floor(lease * 2 / 5)
  if clock < now then end_silence(counted) end
  if now + counted > tonumber(redis.call("GET", prefix .. "heard") or 0) then
    redis.call("SET", prefix .. "heard", text_of(now + counted))
  end
end

allow_over_memory_limit()
if not is_heartbeat then
  local theirs = terms_of_others()
  if theirs ~= terms then
    hear() -- or the leases of nodes that are gone would stand still for ever
    return { "refused", theirs or "", clock == now and "1" or "0" }
  end
end
-- A name is free for another process when its holder was silent for a lease, whoever else was.
local is_own = redis.call("HGET", prefix .. "node:" .. name, "incarnation") == incarnation
local holds = tonumber(redis.call("ZSCORE", nodes_key, name) or 0) > (is_own and clock or now)
if holds and not is_own then return is_heartbeat and "lapsed" or "taken" end

if not holds then moves().lose_node(name, now, ARGV[6]) end
if holds or not is_heartbeat or redis.call("EXISTS", nodes_key) == 1 then hear() end
if holds or not is_heartbeat then
  redis.call("HSET", prefix .. "node:" .. name, "incarnation", incarnation, "facts", facts, "terms", terms)
  redis.call("ZADD", nodes_key, now + lease, name)
end
publish_events("")
if is_heartbeat then return holds and "renewed" or "lapsed" end
return "registered"
