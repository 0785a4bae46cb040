-- Gives the jobs of nodes whose leases ran out back to their queues, a death each; those that reach the most deaths
-- are handed to the sweeping node to fail them, and listed until it has.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] most deaths   [4] ms that final records are kept
-- Reply: id, attempt, deaths, lost node, and so on
-- include shared/base.lua
-- include shared/events.lua
-- include shared/moves.lua
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
  local state, deaths, attempt, queue, order =
    unpack(redis.call("HMGET", key, "state", "deaths", "attempt", "queue", "order"))
  deaths = (tonumber(deaths) or 0) + 1
  if state ~= "queued" then
    redis.call("HDEL", prefix .. "lost", id)
  elseif deaths < most_deaths then
    redis.call("HDEL", prefix .. "lost", id)
    redis.call("HSET", key, "deaths", deaths)
    requeue(id, queue, order)
  elseif leased then -- only a node with a lease can fail a job; without one it waits for the next that sweeps
    redis.call("HDEL", prefix .. "lost", id)
    attempt = (tonumber(attempt) or 0) + 1
    redis.call("HSET", key, "state", "running", "deaths", deaths, "attempt", attempt, "node", node, "started", text_of(now))
    redis.call("SADD", prefix .. "running:" .. node, id)
    redis.call("HSET", handed_key, id, lost[i + 1])
  end
end
publish_events("")

local reply, handed = {}, redis.call("HGETALL", handed_key)
for i = 1, #handed, 2 do
  local attempt, deaths = unpack(redis.call("HMGET", job_key(handed[i]), "attempt", "deaths"))
  local at = #reply
  reply[at + 1], reply[at + 2], reply[at + 3] = handed[i], tonumber(attempt) or 0, tonumber(deaths) or 0
  reply[at + 4] = handed[i + 1]
end
return reply
