-- Gives the jobs of nodes whose leases ran out back to their queues, a death each; those that reach the most deaths
-- are handed to the sweeping node to fail them, and listed until it has. Also lists jobs to be placed anew.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] most deaths   [4] ms that final records are kept
-- Reply: {{id, attempt, deaths, lost node, …}, {id, queue, inputs, …}}, of which inputs are urls, one a line
-- include shared/base.lua
-- include shared/events.lua
-- include shared/offers.lua
-- include shared/moves.lua
local UNPLACED_AT_ONCE = 500
local node, most_deaths, ttl = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now = now_ms()
local lapsed = redis.call("ZRANGEBYSCORE", prefix .. "nodes", "-inf", now)
local lost = redis.call("EXISTS", prefix .. "lost") == 1
if #lapsed > 0 or lost then allow_over_memory_limit() end
for _, name in ipairs(lapsed) do lose_jobs(name, now, ttl) end

local leased = holds_lease(node, now)
local handed_key = prefix .. "handed:" .. node
lost = redis.call("HGETALL", prefix .. "lost")
for i = 1, #lost, 2 do
  local id, key = lost[i], job_key(lost[i])
  local state, deaths, attempt, queue, order, offers =
    unpack(redis.call("HMGET", key, "state", "deaths", "attempt", "queue", "order", "offers"))
  deaths = (tonumber(deaths) or 0) + 1
  if state ~= "queued" then
    redis.call("HDEL", prefix .. "lost", id)
  elseif deaths < most_deaths then
    redis.call("HDEL", prefix .. "lost", id)
    redis.call("HSET", key, "deaths", deaths)
    requeue(id, queue, order, offers)
  elseif leased then -- only a node with a lease can fail a job; without one it waits for the next that sweeps
    redis.call("HDEL", prefix .. "lost", id)
    attempt = (tonumber(attempt) or 0) + 1
    redis.call("HSET", key, "state", "running", "deaths", deaths, "attempt", attempt, "node", node, "started", text_of(now))
    redis.call("SADD", prefix .. "running:" .. node, id)
    redis.call("HSET", handed_key, id, lost[i + 1])
  end
end
flush_offers()
publish_events("")

local exhausted, handed = {}, redis.call("HGETALL", handed_key)
for i = 1, #handed, 2 do
  local attempt, deaths = unpack(redis.call("HMGET", job_key(handed[i]), "attempt", "deaths"))
  local at = #exhausted
  exhausted[at + 1], exhausted[at + 2], exhausted[at + 3] = handed[i], tonumber(attempt) or 0, tonumber(deaths) or 0
  exhausted[at + 4] = handed[i + 1]
end
local unplaced = {}
for _, id in ipairs(redis.call("ZRANGE", unplaced_key, 0, UNPLACED_AT_ONCE - 1)) do
  local queue, inputs = unpack(redis.call("HMGET", job_key(id), "queue", "inputs"))
  if queue then
    local at = #unplaced
    unplaced[at + 1], unplaced[at + 2], unplaced[at + 3] = id, queue, inputs or ""
  else
    redis.call("ZREM", unplaced_key, id)
  end
end
return { exhausted, unplaced }
