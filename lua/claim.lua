-- Takes up to so many jobs: first those for this node alone, then queue by queue what everybody may take together with
-- what is offered to this node, the lowest order first.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] count   [4] queues, one a line
-- ARGV[5] a token of this claim: the same one again gets the same jobs, so a lost reply strands none
-- ARGV[6] tokens, one a line, of claims whose replies will not be read any more: what they took goes back
-- ARGV[7] ms that final records are kept   [8] tokens, one a line, of claims whose replies arrived
-- ARGV[9] "1": the node takes data, and so what is offered to everybody who does
-- Reply: {"lapsed"}: the node holds no lease.  {"claimed", next, id, attempt, deaths, throws, spec, …}, in which next is in
--        how many ms the next offer becomes visible; -1: none, or as many jobs as wanted are there
-- include shared/base.lua
-- include shared/events.lua
-- include shared/offers.lua
-- include shared/moves.lua
local node, wanted, token = ARGV[2], tonumber(ARGV[3]), ARGV[5]
local TAKEN_MS = 60000
local now = now_ms()
if not holds_lease(node, now) then return { "lapsed" } end

local running_key = prefix .. "running:" .. node
local function taken_key(of) return prefix .. "taken:" .. node .. ":" .. of end

-- What a claim took and still runs here: id, attempt, and so on.
local function taken_by(of)
  local taken, still = redis.call("GET", taken_key(of)), {}
  if not taken then return nil end
  taken = cmsgpack.unpack(taken)
  for i = 1, #taken, 2 do
    local state, by, attempt = unpack(redis.call("HMGET", job_key(taken[i]), "state", "node", "attempt"))
    if state == "running" and by == node and attempt == taken[i + 1] then
      still[#still + 1] = taken[i]
      still[#still + 1] = taken[i + 1]
    end
  end
  return still
end

local function give_back(of)
  local taken = taken_by(of) or {}
  for i = 1, #taken, 2 do
    local id = taken[i]
    local queue, order, cancel, watchers, out, offers =
      unpack(redis.call("HMGET", job_key(id), "queue", "order", "cancel", "watchers", "out", "offers"))
    redis.call("SREM", running_key, id)
    if cancel then
      redis.call("UNLINK", prefix .. "spec:" .. id)
      end_job(id, "cancelled", nil, text_of(now), ARGV[7], { watchers = watchers, out = out, offers = offers })
    else
      redis.call("HSET", job_key(id), "state", "queued")
      requeue(id, queue, order, offers)
    end
  end
  redis.call("UNLINK", taken_key(of))
end

allow_over_memory_limit()
for of in string.gmatch(ARGV[6], "[^\n]+") do give_back(of) end
for of in string.gmatch(ARGV[8], "[^\n]+") do redis.call("UNLINK", taken_key(of)) end
flush_offers()

local started = text_of(now)
local function start(id, state, attempt, taken)
  if state ~= "queued" then return end
  attempt = attempt and text_of(attempt + 1) or "1"
  redis.call("HSET", job_key(id), "state", "running", "attempt", attempt, "node", node, "started", started)
  taken[#taken + 1] = id
  taken[#taken + 1] = attempt
end

local function take(queue, count, taken)
  local popped = redis.call("ZPOPMIN", prefix .. "queue:" .. queue, count)
  for i = 1, #popped, 2 do
    local id = popped[i]
    local state, attempt = unpack(redis.call("HMGET", job_key(id), "state", "attempt"))
    start(id, state, attempt, taken)
  end
end

local takers, have_offers = { node, ARGV[9] == "1" and "*" or nil }, {}
local function has_offers(queue)
  if have_offers[queue] == nil then
    local keys = {}
    for _, taker in ipairs(takers) do
      keys[#keys + 1] = offer_key(queue, taker)
      keys[#keys + 1] = later_key(queue, taker)
    end
    have_offers[queue] = redis.call("EXISTS", unpack(keys)) > 0
  end
  return have_offers[queue]
end

local function take_with_offers(queue, count, taken)
  local entries, seen, most = offering().visible(queue, takers, count, now), {}, #taken + 2 * count
  if not entries then return take(queue, count, taken) end
  for _, entry in ipairs(entries) do
    local id, key = entry[2], entry[3]
    if #taken >= most then break end
    if not seen[id] then
      seen[id] = true
      local state, attempt, offers = unpack(redis.call("HMGET", job_key(id), "state", "attempt", "offers"))
      if offers then offering().withdraw(id, queue, offers) else redis.call("ZREM", key, id) end
      start(id, state, attempt, taken)
    end
  end
  flush_offers()
end

-- In how many ms the next offer becomes visible to this node.
local function next_offer()
  local earliest
  for queue in string.gmatch(ARGV[4], "[^\n]+") do
    local at = has_offers(queue) and offering().next_at(queue, takers)
    if at and (not earliest or at < earliest) then earliest = at end
  end
  return earliest and math.max(0, earliest - now) or -1
end

local taken = taken_by(token)
if not taken then
  taken = {}
  for queue in string.gmatch(ARGV[4], "[^\n]+") do
    local count = wanted - #taken / 2
    if count <= 0 then break end
    take(queue .. "|" .. node, count, taken)
  end
  for queue in string.gmatch(ARGV[4], "[^\n]+") do
    local count = wanted - #taken / 2
    if count <= 0 then break end
    if has_offers(queue) then take_with_offers(queue, count, taken) else take(queue, count, taken) end
  end
  if #taken > 0 then redis.call("SET", taken_key(token), cmsgpack.pack(taken), "PX", TAKEN_MS) end
end

local reply, ids, specs = { "claimed", #taken < 2 * wanted and next_offer() or -1 }, {}, {}
for i = 1, #taken, 2 do
  ids[#ids + 1] = taken[i]
  specs[#specs + 1] = prefix .. "spec:" .. taken[i]
end
call_in_parts("SADD", running_key, ids)
for from = 1, #specs, 1000 do
  local bytes = redis.call("MGET", unpack(specs, from, math.min(from + 999, #specs)))
  for i = 1, #bytes do
    local id, attempt = ids[from + i - 1], taken[2 * (from + i - 1)]
    local counts = attempt ~= "1" and redis.call("HMGET", job_key(id), "deaths", "throws") or {}
    local at = #reply
    reply[at + 1], reply[at + 2] = id, tonumber(attempt)
    reply[at + 3], reply[at + 4] = tonumber(counts[1] or 0), tonumber(counts[2] or 0)
    reply[at + 5] = bytes[i] or ""
  end
end
publish_events("")
return reply
