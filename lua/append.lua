-- Adds pieces to jobs' output logs, up to a limit a job, and sends them to the watchers.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] limit in bytes   [4] what the log ends with when it is cut
-- ARGV[6] what it ends with when the server is at its memory limit
-- ARGV[5] msgpack: id, attempt, index, stream, at, bytes, and so on
-- A piece is kept and sent as a line "attempt index stream at" and, behind it, the bytes.
-- Reply: "appended". Pieces of fenced attempts and repeated pieces are dropped.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
local node, limit, notice = ARGV[2], tonumber(ARGV[3]), ARGV[4]
-- Refused over the memory limit; makes no key. Output is what can be done without then: ends of jobs are behind it.
if type(redis.pcall("SETRANGE", prefix .. "nothing", 0, "")) == "table" then limit, notice = 0, ARGV[6] end
allow_over_memory_limit()
local rows = cmsgpack.unpack(ARGV[5])
local found = {}

local function find_job(id)
  local text = redis.call("HGET", prefix .. "running:" .. node, id)
  local record = text and redis.call("GET", job_key(id))
  if not record then return false end
  local entry = attempts().read_entry(text)
  return {
    entry = entry, attempt = tonumber(entry.attempt), used = tonumber(entry.out), last_index = tonumber(entry.piece),
    watchers = jobs().read_live(record).watchers, pieces = {},
  }
end

local function job_of(id)
  if found[id] == nil then found[id] = find_job(id) end
  return found[id]
end

local function keep(job, attempt, index, stream, at, bytes)
  if job.used < 0 then return end
  local room = math.max(0, limit - job.used)
  local kept = #bytes <= room and bytes or string.sub(bytes, 1, room)
  local head = attempt .. " " .. index .. " "
  if #kept > 0 or #bytes == 0 then job.pieces[#job.pieces + 1] = head .. stream .. " " .. at .. "\n" .. kept end
  job.used = job.used + #kept
  if #kept == #bytes then return end
  job.used = -1
  -- Where readers expect what was cut: they print pieces in the order of their indexes, each once.
  local next_index = text_of(index + (#kept > 0 and 1 or 0))
  job.pieces[#job.pieces + 1] = attempt .. " " .. next_index .. " stderr " .. at .. "\n" .. notice
end

for i = 1, #rows, 6 do
  local id, attempt, index, stream = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
  local at, bytes = string.format("%.0f", rows[i + 4]), rows[i + 5]
  local job = job_of(id)
  if job and attempt == job.attempt and index > job.last_index then
    job.last_index, job.has_more = index, true
    keep(job, attempt, index, stream, at, bytes)
    if job.watchers ~= node then
      local piece = attempt .. " " .. index .. " " .. stream .. " " .. at .. "\n" .. bytes
      tell_watchers(job.watchers, node, "output", id, "", piece)
    end
  end
end
for id, job in pairs(found) do
  if job and job.has_more then
    job.entry.out, job.entry.piece = text_of(job.used), text_of(job.last_index)
    redis.call("HSET", prefix .. "running:" .. node, id, attempts().entry_text(job.entry))
    call_in_parts("RPUSH", prefix .. "out:" .. id, job.pieces)
  end
end
publish_events("")
return "appended"
