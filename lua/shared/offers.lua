-- Offers. Needs base.lua, events.lua and jobs.lua.
-- A job that is offered waits in no queue, but in `offer:<queue>|<taker>` of each taker that may see it, and in
-- `later:<queue>|<taker>` of each that may not yet. A taker is a node, or "*": whoever takes data. Whatever moves the job on
-- withdraws it from all of them in the same script, so that no entry is ever stale. A job of whose takers none is there
-- stands in `unplaced` instead. Its offers are a text, "n1=0 n2=40 *=120": who, and after how many ms; "-" is nobody.
-- Many jobs of a batch have the same offers, so changes are gathered, and made for all of them at once by `flush`.
local unplaced_key = prefix .. "unplaced"
local function offer_key(queue, taker) return prefix .. "offer:" .. queue .. "|" .. taker end
local function later_key(queue, taker) return prefix .. "later:" .. queue .. "|" .. taker end

local RIPEN_AT_ONCE = 1000
local takers_by_text, leases_found = {}, {}
local to_offer, to_withdraw = {}, {}

local function takers_of(offers)
  local takers = takers_by_text[offers]
  if takers then return takers end
  takers = {}
  for name, delay in string.gmatch(offers, "([^ =]+)=(%d+)") do
    takers[#takers + 1] = { name = name, delay = tonumber(delay) }
  end
  takers_by_text[offers] = takers
  return takers
end

local function is_there(taker)
  if taker == "*" then return true end
  if leases_found[taker] == nil then leases_found[taker] = holds_lease(taker, now_ms()) or false end
  return leases_found[taker]
end

local function has_taker(offers)
  for _, taker in ipairs(takers_of(offers)) do
    if is_there(taker.name) then return true end
  end
  return false
end

local function group_of(groups, queue, offers)
  groups[queue] = groups[queue] or {}
  local group = groups[queue][offers]
  if not group then
    group = { ids = {}, orders = {} }
    groups[queue][offers] = group
  end
  return group
end

-- Offers a queued job, at once or after the delays of its offers.
local function offer(id, queue, order, offers, delayed)
  if not has_taker(offers) then
    redis.call("ZADD", unplaced_key, text_of(order), id)
    return
  end
  local group = group_of(to_offer, queue, offers)
  group.delayed = delayed
  group.ids[#group.ids + 1] = id
  group.orders[#group.orders + 1] = text_of(order)
end

-- Takes a job back from all whom it is offered to.
local function withdraw(id, queue, offers)
  local group = group_of(to_withdraw, queue, offers)
  group.ids[#group.ids + 1] = id
end

local function scored(ids, scores, score)
  local members = {}
  for i, id in ipairs(ids) do
    members[2 * i - 1], members[2 * i] = score or scores[i], id
  end
  return members
end

local function add_group(queue, offers, group, now)
  call_in_parts("SADD", prefix .. "offered:" .. queue, group.ids)
  local visible, later = scored(group.ids, group.orders), {}
  for _, taker in ipairs(takers_of(offers)) do
    local delay = group.delayed and taker.delay or 0
    if delay == 0 then
      call_in_parts("ZADD", offer_key(queue, taker.name), visible)
    else
      later[delay] = later[delay] or scored(group.ids, nil, text_of(now + delay))
      call_in_parts("ZADD", later_key(queue, taker.name), later[delay])
    end
    wake(taker.name == "*" and queue or queue .. "|" .. taker.name, delay)
  end
end

local function remove_group(queue, offers, group)
  call_in_parts("SREM", prefix .. "offered:" .. queue, group.ids)
  for _, taker in ipairs(takers_of(offers)) do
    call_in_parts("ZREM", later_key(queue, taker.name), group.ids)
    call_in_parts("ZREM", offer_key(queue, taker.name), group.ids)
  end
end

local function flush()
  for queue, groups in pairs(to_withdraw) do
    for offers, group in pairs(groups) do remove_group(queue, offers, group) end
  end
  local now = now_ms()
  for queue, groups in pairs(to_offer) do
    for offers, group in pairs(groups) do add_group(queue, offers, group, now) end
  end
  to_offer, to_withdraw = {}, {}
end

-- Makes visible what is due.
local function ripen(queue, taker, now)
  local key = later_key(queue, taker)
  local ids = redis.call("ZRANGEBYSCORE", key, "-inf", text_of(now), "LIMIT", 0, RIPEN_AT_ONCE)
  local members = {}
  for _, id in ipairs(ids) do
    local record = redis.call("GET", job_key(id))
    if record then
      members[#members + 1] = text_of(jobs().read_live(record).order)
      members[#members + 1] = id
    end
  end
  call_in_parts("ZREM", key, ids)
  call_in_parts("ZADD", offer_key(queue, taker), members)
end

-- The first entries of all that the takers see of a queue: {order, id, key}. None when nothing is offered.
local function visible(queue, takers, count, now)
  local keys, entries = {}, {}
  for i, taker in ipairs(takers) do
    ripen(queue, taker, now)
    keys[i] = offer_key(queue, taker)
  end
  if redis.call("EXISTS", unpack(keys)) == 0 then return nil end
  for _, key in ipairs(keys) do
    local found = redis.call("ZRANGE", key, 0, count - 1, "WITHSCORES")
    for i = 1, #found, 2 do entries[#entries + 1] = { tonumber(found[i + 1]), found[i], key } end
  end
  return entries
end

-- When the next offer becomes visible to one of the takers, in ms since the epoch.
local function next_at(queue, takers)
  local earliest
  for _, taker in ipairs(takers) do
    local at = tonumber(redis.call("ZRANGE", later_key(queue, taker), 0, 0, "WITHSCORES")[2])
    if at and (not earliest or at < earliest) then earliest = at end
  end
  return earliest
end

-- Lists jobs as unplaced that wait for nobody but nodes that are gone, now that this one is. Other offers to it stay:
-- they go with the job, and the node may come back.
local function strand(node)
  leases_found[node] = false
  for _, queue in ipairs(redis.call("HKEYS", prefix .. "queues")) do
    for _, key in ipairs({ offer_key(queue, node), later_key(queue, node) }) do
      for _, id in ipairs(redis.call("ZRANGE", key, 0, -1)) do
        local record = redis.call("GET", job_key(id))
        local job = record and jobs().read_live(record) or {}
        if job.offers and not has_taker(job.offers) then
          redis.call("ZADD", unplaced_key, text_of(job.order), id)
          withdraw(id, queue, job.offers)
        end
      end
    end
  end
  flush()
end

return { offer = offer, withdraw = withdraw, flush = flush, visible = visible, next_at = next_at, strand = strand }
