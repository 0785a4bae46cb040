-- Takes up to so many jobs: first those for this node alone, then queue by queue what everybody may take together with
-- what is offered to this node, the lowest order first.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] count   [4] queues, one a line
-- ARGV[5] a token of this claim: the same one again gets the same jobs, so a lost reply strands none
-- ARGV[6] tokens, one a line, of claims whose replies will not be read any more: what they took goes back
-- ARGV[7] ms that final records are kept   [8] tokens, one a line, of claims whose replies arrived
-- ARGV[9] "1": the node takes data, and so what is offered to everybody who does
-- Reply: "lapsed": the node holds no lease.  {jobs, record, …, spec, …, past, …}, with a record of each job, the specs that
--        have keys of their own, and of each job that has deaths what is kept of them. Jobs are bytes, as a value of the
--        reply costs more: a double, in how many ms the next job becomes visible (-1: none, or as many as wanted are
--        there), a byte, then of each job its id (36) and, when
--        the byte is 1, attempt, deaths and throws (4 each). When it is 0, all run for the first time.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
-- include shared/offers.lua as offering
-- include shared/ending.lua
-- include shared/moves.lua as moves
-- include shared/timed.lua as timed
-- include shared/runs.lua
local node, wanted, token = ARGV[2], tonumber(ARGV[3]), ARGV[5]
local now = now_ms()
if not holds_lease(node, now) then return "lapsed" end

local running, taken_key, begun_key = prefix .. "running:" .. node, prefix .. "taken:" .. node, prefix .. "begun"

-- What a claim took and still runs here: entries by id. None when the claim took nothing, or nobody asks any more.
local function taken_by(of)
  if redis.call("HEXISTS", taken_key, of) == 0 then return nil end
  local entries, taken = redis.call("HGETALL", running), {}
  for i = 1, #entries, 2 do
    local entry = attempts().read_entry(entries[i + 1])
    if entry.token == of then taken[entries[i]] = entry end
  end
  return taken
end

local function give_back(of)
  for id, entry in pairs(taken_by(of) or {}) do
    redis.call("HDEL", running, id)
    if moves().take_from(node, id, entry, now, ARGV[7]) then moves().requeue(id) end
  end
  redis.call("HDEL", taken_key, of)
end

-- Over the memory limit this is not refused: whatever it writes first lets go of memory.
for of in string.gmatch(ARGV[6], "[^\n]+") do give_back(of) end
for of in string.gmatch(ARGV[8], "[^\n]+") do redis.call("HDEL", taken_key, of) end
if made_offering then made_offering.flush() end

local takers, queues, rare = { node, ARGV[9] == "1" and "*" or nil }, {}, { begun_key, prefix .. "expiring" }
for queue in string.gmatch(ARGV[4], "[^\n]+") do
  queues[#queues + 1] = queue
  rare[#rare + 1] = prefix .. "queue:" .. queue .. "|" .. node
  rare[#rare + 1] = prefix .. "offered:" .. queue
end
-- Of jobs for this node alone, offered ones, ones that were begun before (as were all that are delayed), and ones that may not
-- wait for ever, mostly none is there: one question is enough.
local is_usual = redis.call("EXISTS", unpack(rare)) == 0
local function has_offers(queue) return not is_usual and redis.call("EXISTS", prefix .. "offered:" .. queue) == 1 end

-- What the node sees of a queue, with what is offered to it, by order: as `visible`, without a key for what is not offered.
local function first_entries(queue, count)
  local entries = offering().visible(queue, takers, count, now)
  if not entries then return nil end
  local runs = first_runs(queue, count)
  for i = 1, #runs, 2 do
    for at = 0, #runs[i] / ID - 1 do
      local id = string.sub(runs[i], at * ID + 1, (at + 1) * ID)
      if id ~= BLANK then entries[#entries + 1] = { runs[i + 1] + at, id } end
    end
  end
  table.sort(entries, function(a, b) return a[1] < b[1] end)
  return entries
end

local function take_with_offers(queue, count, ids)
  local entries = first_entries(queue, count)
  if not entries then return take_first(queue, count, ids) end
  local seen, queued, most = {}, 0, #ids + count
  for _, entry in ipairs(entries) do
    local id, key = entry[2], entry[3]
    if #ids == most then break end
    if not seen[id] then
      seen[id], ids[#ids + 1] = true, id
      if key then
        local record = redis.call("GET", job_key(id))
        if record then offering().withdraw(id, queue, jobs().read_live(record).offers) else redis.call("ZREM", key, id) end
      else
        queued = queued + 1
      end
    end
  end
  if queued > 0 then take_first(queue, queued, {}) end
  offering().flush()
end

-- In how many ms the next job becomes visible to this node.
local function next_visible()
  if is_usual then return -1 end
  local earliest = timed().next_due(queues, node)
  for _, queue in ipairs(queues) do
    local at = has_offers(queue) and offering().next_at(queue, takers)
    if at and (not earliest or at < earliest) then earliest = at end
  end
  return earliest and math.max(0, earliest - now) or -1
end

local function take_from_queue(queue, ids)
  local before = #ids
  if before >= wanted then return end
  if has_offers(queue) then take_with_offers(queue, wanted - before, ids) else take_first(queue, wanted - before, ids) end
  if #ids > before then redis.call("HINCRBY", prefix .. "queues", queue, text_of(before - #ids)) end
end

local function take(ids)
  for _, queue in ipairs(is_usual and {} or queues) do take_from_queue(queue .. "|" .. node, ids) end
  for _, queue in ipairs(queues) do take_from_queue(queue, ids) end
  return ids
end

-- Histories by id, of those jobs that were begun before.
local histories = {}

local function start(ids)
  if #ids == 0 then return end
  local started, entries = text_of(now), {}
  local usual = "1 " .. started .. " " .. token
  local begun = is_usual and {} or call_in_parts("HMGET", begun_key, ids)
  for i, id in ipairs(ids) do
    histories[id] = begun[i] and attempts().read_history(begun[i])
    entries[2 * i - 1] = id
    entries[2 * i] = begun[i] and attempts().entry_text(attempts().next_entry(histories[id], started, token)) or usual
  end
  call_in_parts("HSET", running, entries)
  redis.call("HSET", taken_key, token, "")
end

-- What the same claim took before, in the order of taking.
local function take_again(taken)
  local ids, orders = {}, {}
  for id, entry in pairs(taken) do
    ids[#ids + 1] = id
    local record = redis.call("GET", job_key(id))
    orders[id] = record and jobs().read_live(record).order or 0
    if entry.attempt ~= "1" then histories[id] = attempts().history_of(id) end
  end
  table.sort(ids, function(a, b) return orders[a] < orders[b] end)
  return ids
end

-- Records of the jobs, of which those have none that Redis evicted: these are dropped.
local function take_records(ids)
  local keys, kept = {}, {}
  for i, id in ipairs(ids) do keys[i] = job_key(id) end
  local records = call_in_parts("MGET", nil, keys)
  for i, id in ipairs(ids) do
    if records[i] then
      kept[#kept + 1], records[#kept + 1] = id, records[i]
    end
  end
  for i = #kept + 1, #ids do records[i] = nil end
  return kept, records
end

local taken = taken_by(token)
local ids, reply = take_records(taken and take_again(taken) or is_usual and take({}) or timed().take(take, queues, node, now))
if not taken then start(ids) end

local counts, specs, pasts = {}, {}, {}
for i, id in ipairs(ids) do
  if string.byte(reply[i]) % 2 == OWN_SPEC then specs[#specs + 1] = prefix .. "spec:" .. id end
  if not is_usual then
    local history = histories[id] or { attempt = 0, deaths = 0, throws = 0 }
    if tonumber(history.deaths) > 0 then pasts[#pasts + 1] = history.past end
    counts[i] = id .. struct.pack(">I4I4I4", history.attempt + 1, history.deaths, history.throws)
  end
end
for _, key in ipairs(specs) do reply[#reply + 1] = redis.call("GET", key) or "" end
for _, past in ipairs(pasts) do reply[#reply + 1] = past end
local head = struct.pack(">dB", #ids < wanted and next_visible() or -1, is_usual and 0 or 1)
table.insert(reply, 1, head .. table.concat(is_usual and ids or counts))
publish_events(node)
return reply
