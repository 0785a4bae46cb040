-- Queues jobs, all or none.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] the watching node, which is not woken   [3] ms that units outlive their use
-- ARGV[4] msgpack: queue, priority, ids one behind the other, then of each of these jobs the beginning of its record (up to
--         the index, which counts from 1: see records.lua), and so on
-- ARGV[5] msgpack: hash, bytes, and so on: units   [6] msgpack: hashes of all units that the jobs need
-- ARGV[7] msgpack: number of a job (from 1), offers, inputs, refusal, spec, ms that it may wait, jobs that it waits for, and so
--         on: of those jobs that have any of these; 0 stands for what a job has not; a spec is one with a key of its own. "":
--         none has any
-- ARGV[8] ms that final records are kept   [9] "1": an id may stand there twice   [10] how many jobs may wait in one queue
-- Reply: {"queued"}: all of them.  {"queued", "queued" | "known", …}: one word a job.
--        {"conflict", id}: this id is known with another spec.  {"missing", hash, …}: units to send along.
--        {"full", queue, how many jobs wait there, the limit}: more than that would.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
-- include shared/room.lua as room
local watcher, unit_ttl, ttl, limit = ARGV[2], ARGV[3], ARGV[8], tonumber(ARGV[10])
local rows, units, needs = cmsgpack.unpack(ARGV[4]), cmsgpack.unpack(ARGV[5]), cmsgpack.unpack(ARGV[6])

-- The jobs by number, and parts of them that have one queue and priority.
local keys, heads, parts = {}, {}, {}
local at = 1
while at <= #rows do
  local ids, before = rows[at + 2], #keys
  local count = #ids / ID
  for i = 1, count do
    keys[before + i] = prefix .. "job:" .. string.sub(ids, (i - 1) * ID + 1, i * ID)
    heads[before + i] = rows[at + 2 + i]
  end
  parts[#parts + 1] = { queue = rows[at], priority = rows[at + 1], ids = ids, before = before, count = count }
  at = at + 3 + count
end
local function id_of(n) return string.sub(keys[n], -ID) end

-- A job whose id is made of its contents (a UUIDv8) is made anew when it came to nothing before.
local function is_in_vain(key, record)
  if string.sub(key, -22, -22) ~= "8" or not jobs().is_final(record) then return false end
  return string.lower(string.sub(record, 1, 1)) ~= "s"
end

-- Numbers of jobs that are known already, or were in this batch before. Gives the id of one that is known with another spec.
local known, in_vain = {}, {}
local function find_known()
  local earlier, twins = call_in_parts("MGET", nil, keys), {}
  for n, key in ipairs(keys) do
    if earlier[n] and is_in_vain(key, earlier[n]) then
      earlier[n], in_vain[#in_vain + 1] = false, string.sub(key, -ID)
    end
    local other = earlier[n] or twins[key]
    if other and jobs().read_print(other) ~= jobs().read_print(heads[n]) then return id_of(n) end
    if other then known[n] = true end
    twins[key] = heads[n]
  end
end

if #keys > 0 and (call_in_parts("EXISTS", nil, keys) > 0 or ARGV[9] == "1") then
  local conflict = find_known()
  if conflict then return { "conflict", conflict } end
end

local brought, missing = {}, {}
for i = 1, #units, 2 do brought[units[i]] = units[i + 1] end
for _, hash in ipairs(needs) do
  if not brought[hash] and redis.call("PEXPIRE", prefix .. "unit:" .. hash, unit_ttl) == 0 then
    missing[#missing + 1] = hash
  end
end
if #missing > 0 then return { "missing", unpack(missing, 1, math.min(#missing, 1000)) } end

local extras, given = {}, ARGV[7] ~= "" and cmsgpack.unpack(ARGV[7]) or {}
for i = 1, #given, 7 do
  extras[given[i]] = {
    offers = given[i + 1], inputs = given[i + 2], refusal = given[i + 3], spec = given[i + 4], ttl = given[i + 5],
    after = given[i + 6],
  }
end

-- Counts the jobs as waiting, if there is room for all of them.
local is_usual = not next(known) and not next(extras)
for at, part in ipairs(parts) do
  part.added = is_usual and part.count or room().count_new(part, known, extras)
  if part.added > 0 and redis.call("HINCRBY", prefix .. "queues", part.queue, text_of(part.added)) > limit then
    local refusal = room().refusal(parts, at, limit)
    if refusal then return refusal end
  end
end

for hash, bytes in pairs(brought) do redis.call("SET", prefix .. "unit:" .. hash, bytes, "PX", unit_ttl) end

for _, id in ipairs(in_vain) do
  redis.call("UNLINK", job_key(id), prefix .. "spec:" .. id, prefix .. "outcome:" .. id, prefix .. "out:" .. id)
end

local now, sets, members, expiring, blocked = now_ms(), {}, {}, {}, {}

local function set(key, value)
  sets[#sets + 1] = key
  sets[#sets + 1] = value
end

-- A job that has what others have not. Tells whether it waits in its queue as the others do.
local function add_extra(n, part, extra)
  local id, offers, after = id_of(n), extra.offers ~= 0 and extra.offers or nil, extra.after ~= 0 and extra.after or nil
  if extra.refusal ~= 0 then
    if extra.spec ~= 0 then redis.call("SET", prefix .. "spec:" .. id, extra.spec, "PX", ttl) end
    end_job(keys[n], heads[n] .. part.tail, "n", "", extra.refusal, now, ttl, watcher)
    return false
  end
  if extra.spec ~= 0 then set(prefix .. "spec:" .. id, extra.spec) end
  local expires = extra.ttl ~= 0 and now + extra.ttl or nil
  set(keys[n], heads[n] .. jobs().live_end(part.base, now, expires, after or offers, extra.inputs, watcher))
  if expires then
    expiring[#expiring + 1] = text_of(expires)
    expiring[#expiring + 1] = id
  end
  if after then blocked[#blocked + 1] = id end
  if not offers then return not after end
  offering().offer(id, part.queue, part.base + n - part.before, offers, true)
  return false
end

-- Ids as the part has them, with blanks for those that do not wait in the queue.
local function with_blanks(part, absent)
  local slots = {}
  for i = 1, part.count do slots[i] = absent[part.before + i] and BLANK or id_of(part.before + i) end
  return table.concat(slots)
end

local function add_runs(part, ids)
  local list = members[part.queue] or {}
  for at = 0, part.count - 1, RUN do
    local run = string.sub(ids, at * ID + 1, (at + RUN) * ID)
    if string.find(run, "%x") then
      list[#list + 1] = text_of(part.base + at + 1)
      list[#list + 1] = run
    end
  end
  members[part.queue] = #list > 0 and list or nil
end

local function add_part(part, sequence)
  part.base = sequence + part.before - part.priority * 1e12
  part.tail = struct.pack(">dd", part.base, now) .. watcher
  local absent, ids = {}, part.ids
  for n = part.before + 1, part.before + part.count do
    local extra = extras[n]
    if known[n] or extra and not add_extra(n, part, extra) then
      absent[n] = true
    elseif not extra then
      sets[#sets + 1], sets[#sets + 2] = keys[n], heads[n] .. part.tail
    end
  end
  if next(absent) then ids = with_blanks(part, absent) end
  add_runs(part, ids)
end

local sequence = redis.call("INCRBY", prefix .. "seq", #keys) - #keys
for _, part in ipairs(parts) do add_part(part, sequence) end
call_in_parts("MSET", nil, sets)
for queue, list in pairs(members) do
  call_in_parts("ZADD", prefix .. "queue:" .. queue, list)
  wake(queue, 0)
end
call_in_parts("ZADD", prefix .. "expiring", expiring)
call_in_parts("SADD", prefix .. "blocked", blocked)
if made_offering then made_offering.flush() end

local reply = { "queued" }
for n in pairs(known) do
  local record = redis.call("GET", keys[n])
  if not jobs().is_final(record) then jobs().add_watcher(id_of(n), record, watcher) end
end
if next(known) then
  for n = 1, #keys do reply[#reply + 1] = known[n] and "known" or "queued" end
end
publish_events(watcher)
return reply
