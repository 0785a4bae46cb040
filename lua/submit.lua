-- Queues jobs, all or none.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] the watching node, which is not woken   [3] ms that units outlive their use
-- ARGV[4] msgpack: queue, priority, count, then of each of so many jobs its id and the beginning of its record (up to the
--         body: see records.lua), and so on
-- ARGV[5] msgpack: hash, bytes, and so on: units   [6] msgpack: hashes of all units that the jobs need
-- ARGV[7] msgpack: number of a job (from 1), offers, inputs, refusal, spec, and so on: of those jobs that have any of these;
--         0 stands for what a job has not; a spec is one with a key of its own. "": none has any
-- ARGV[8] ms that final records are kept
-- Reply: {"queued"}: all of them.  {"queued", "queued" | "known", …}: one word a job.
--        {"conflict", id}: this id is known with another spec.  {"missing", hash, …}: units to send along.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
local watcher, unit_ttl, ttl = ARGV[2], ARGV[3], ARGV[8]
local rows, units, needs = cmsgpack.unpack(ARGV[4]), cmsgpack.unpack(ARGV[5]), cmsgpack.unpack(ARGV[6])

-- The jobs, by number.
local ids, heads, keys = {}, {}, {}
-- Runs of jobs with one queue and priority.
local parts = {}
local at = 1
while at <= #rows do
  local count = rows[at + 2]
  parts[#parts + 1] = { queue = rows[at], priority = rows[at + 1], from = #ids + 1, to = #ids + count }
  for i = at + 3, at + 1 + 2 * count, 2 do
    local id, n = rows[i], #ids + 1
    ids[n], heads[n], keys[n] = id, rows[i + 1], job_key(id)
  end
  at = at + 3 + 2 * count
end

-- Numbers of jobs that are known already, or were in this batch before.
local known, numbers = {}, {}
local any_known = #keys > 0 and call_in_parts("EXISTS", nil, keys) > 0
local earlier = any_known and call_in_parts("MGET", nil, keys) or {}
for n, id in ipairs(ids) do
  local twin = numbers[id]
  local other = earlier[n] or twin and heads[twin]
  if other and jobs().read_print(other) ~= jobs().read_print(heads[n]) then return { "conflict", id } end
  if other then known[n] = true end
  numbers[id] = n
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

local extras, given = {}, ARGV[7] ~= "" and cmsgpack.unpack(ARGV[7]) or {}
for i = 1, #given, 5 do
  extras[given[i]] = { offers = given[i + 1], inputs = given[i + 2], refusal = given[i + 3], spec = given[i + 4] }
end

local now, sets, members = now_ms(), {}, {}
local usual_end = struct.pack(">d", now) .. watcher

local function set(key, value)
  sets[#sets + 1] = key
  sets[#sets + 1] = value
end

-- A job that has what others have not. Tells whether it waits in its queue as the others do.
local function add_extra(n, queue, order, extra)
  local id, head = ids[n], heads[n] .. struct.pack(">d", order)
  if extra.refusal ~= 0 then
    end_job(id, head .. jobs().record_end(now, nil, nil, ""), "f", "", extra.refusal, now, ttl)
    return false
  end
  if extra.spec ~= 0 then set(prefix .. "spec:" .. id, extra.spec) end
  if extra.offers == 0 then
    set(keys[n], head .. usual_end)
    return true
  end
  set(keys[n], head .. jobs().record_end(now, extra.offers, extra.inputs, watcher))
  offering().offer(id, queue, order, extra.offers, true)
  return false
end

local function add_part(part, sequence)
  local queue, base = part.queue, sequence - part.priority * 1e12
  local list = members[queue] or {}
  members[queue] = list
  local run = {}
  local function end_run(order)
    if #run > 0 then
      list[#list + 1] = text_of(order - #run + 1)
      list[#list + 1] = table.concat(run)
      run = {}
    end
  end
  for n = part.from, part.to do
    local order, extra, waits = base + n, extras[n], not known[n]
    if waits and extra then
      waits = add_extra(n, queue, order, extra)
    elseif waits then
      sets[#sets + 1], sets[#sets + 2] = keys[n], heads[n] .. struct.pack(">d", order) .. usual_end
    end
    if waits then run[#run + 1] = ids[n] else end_run(order - 1) end
    if #run == RUN then end_run(order) end
  end
  end_run(base + part.to)
end

local sequence = redis.call("INCRBY", prefix .. "seq", #ids) - #ids
for _, part in ipairs(parts) do add_part(part, sequence) end
call_in_parts("MSET", nil, sets)
for queue, list in pairs(members) do
  if #list > 0 then
    call_in_parts("ZADD", prefix .. "queue:" .. queue, list)
    redis.call("SADD", prefix .. "queues", queue)
    wake(queue, 0)
  end
end
if made_offering then made_offering.flush() end

local reply = { "queued" }
for n in pairs(known) do
  local record = redis.call("GET", keys[n])
  if not jobs().is_final(record) then jobs().add_watcher(ids[n], record, watcher) end
end
if next(known) then
  for n = 1, #ids do reply[#reply + 1] = known[n] and "known" or "queued" end
end
publish_events(watcher)
return reply
