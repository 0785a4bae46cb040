-- Queues jobs, all or none.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] the watching node, which is not woken   [3] ms that units outlive their use
-- ARGV[4] msgpack: id, queue, priority, label, spec, print, and so on   [5] msgpack: hash, bytes, and so on: units
-- ARGV[6] msgpack: hashes of all units that the jobs need
-- ARGV[7] msgpack: number of a job (from 1), offers, placement, inputs, refusal, and so on: of those jobs that have any of
--         these; 0 stands for what a job has not. "": none has any
-- ARGV[8] ms that final records are kept
-- Reply: {"queued"}: all of them.  {"queued", "queued" | "known", …}: one word a job.
--        {"conflict", id}: this id is known with another spec.  {"missing", hash, …}: units to send along.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/offers.lua
-- include shared/moves.lua
local watcher, unit_ttl = ARGV[2], ARGV[3]
local rows, units, needs = cmsgpack.unpack(ARGV[4]), cmsgpack.unpack(ARGV[5]), cmsgpack.unpack(ARGV[6])

local function count_known()
  local count = 0
  for from = 1, #rows, 6000 do
    local keys = {}
    for i = from, math.min(from + 5999, #rows), 6 do keys[#keys + 1] = job_key(rows[i]) end
    count = count + redis.call("EXISTS", unpack(keys))
  end
  return count
end

local any_known = count_known() > 0
local prints, known = {}, {}
for i = 1, #rows, 6 do
  local id, print = rows[i], rows[i + 5]
  local earlier = prints[id] or (any_known and redis.call("HGET", job_key(id), "print"))
  if earlier and earlier ~= print then return { "conflict", id } end
  if earlier then known[i] = true end
  prints[id] = print
end

local brought, missing = {}, {}
for i = 1, #units, 2 do brought[units[i]] = units[i + 1] end
for _, hash in ipairs(needs) do
  if not brought[hash] and redis.call("PEXPIRE", prefix .. "unit:" .. hash, unit_ttl) == 0 then
    missing[#missing + 1] = hash
  end
end
if #missing > 0 then return { "missing", unpack(missing, 1, math.min(#missing, 1000)) } end

for hash, bytes in pairs(brought) do redis.call("SET", prefix .. "unit:" .. hash, bytes, "PX", unit_ttl) end

local now = text_of(now_ms())

-- What a job has that others have not. Tells whether it waits in its queue as the others do.
local function add_extra(id, queue, order, extra)
  local key = job_key(id)
  local function set(field, value)
    if value ~= 0 then redis.call("HSET", key, field, value) end
  end
  set("placement", extra.placement)
  if extra.refusal ~= 0 then
    end_job(id, "failed", extra.refusal, now, ARGV[8], {})
    return false
  end
  set("inputs", extra.inputs)
  set("offers", extra.offers)
  if extra.offers ~= 0 then offering().offer(id, queue, order, extra.offers, true) end
  return extra.offers == 0
end

local extras, given = {}, ARGV[7] ~= "" and cmsgpack.unpack(ARGV[7]) or {}
for i = 1, #given, 5 do
  extras[6 * given[i] - 5] =
    { offers = given[i + 1], placement = given[i + 2], inputs = given[i + 3], refusal = given[i + 4] }
end
local count = #rows / 6
local sequence = redis.call("INCRBY", prefix .. "seq", count) - count
local queues = {}
for i = 1, #rows, 6 do
  sequence = sequence + 1
  if not known[i] then
    local id, queue = rows[i], rows[i + 1]
    local order = text_of(sequence - rows[i + 2] * 1e12)
    redis.call("HSET", job_key(id), "state", "queued", "queue", queue, "label", rows[i + 3], "order", order,
      "created", now, "print", rows[i + 5], "watchers", watcher)
    local extra = extras[i]
    local is_refused = extra and extra.refusal ~= 0
    if not is_refused then redis.call("SET", prefix .. "spec:" .. id, rows[i + 4]) end
    if not extra or add_extra(id, queue, order, extra) then
      local members = queues[queue]
      if not members then
        members = {}
        queues[queue] = members
      end
      members[#members + 1] = order
      members[#members + 1] = id
    end
  end
end
for queue, members in pairs(queues) do
  call_in_parts("ZADD", prefix .. "queue:" .. queue, members)
  redis.call("SADD", prefix .. "queues", queue)
  wake(queue, 0)
end
flush_offers()

local reply = { "queued" }
for i in pairs(known) do
  local key = job_key(rows[i])
  local state, watchers = unpack(redis.call("HMGET", key, "state", "watchers"))
  if state == "queued" or state == "running" then add_watcher(key, watchers, watcher) end
end
if next(known) then
  for i = 1, #rows, 6 do reply[#reply + 1] = known[i] and "known" or "queued" end
end
publish_events(watcher)
return reply
