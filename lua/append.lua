-- Adds pieces to jobs' output logs, up to a limit a job, and sends them to the watchers.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] limit in bytes   [4] what the log ends with when it is cut
-- ARGV[5] msgpack: id, attempt, index, stream, at, bytes, and so on
-- A piece is kept and sent as a line "attempt index stream at" and, behind it, the bytes.
-- Reply: "appended". Pieces of fenced attempts and repeated pieces are dropped.
-- include shared/base.lua
-- include shared/events.lua
local node, limit, notice = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local rows = cmsgpack.unpack(ARGV[5])
local jobs = {}

local function job_of(id)
  local job = jobs[id]
  if job then return job end
  local found = redis.call("HMGET", job_key(id), "state", "node", "attempt", "watchers", "out", "piece")
  local last_attempt, last_index = string.match(found[6] or "0 -1", "^(%S+) (%S+)$")
  job = {
    attempt = found[1] == "running" and found[2] == node and tonumber(found[3]),
    watchers = found[4], used = tonumber(found[5] or 0),
    last_attempt = tonumber(last_attempt), last_index = tonumber(last_index), pieces = {},
  }
  jobs[id] = job
  return job
end

local function keep(job, attempt, index, stream, at, bytes)
  if job.used < 0 then return end
  local room = limit - job.used
  local kept = #bytes <= room and bytes or string.sub(bytes, 1, room)
  local head = attempt .. " " .. index .. " "
  if #kept > 0 or #bytes == 0 then job.pieces[#job.pieces + 1] = head .. stream .. " " .. at .. "\n" .. kept end
  job.used = job.used + #kept
  if #kept == #bytes then return end
  job.used = -1
  job.pieces[#job.pieces + 1] = head .. "stderr " .. at .. "\n" .. notice
end

for i = 1, #rows, 6 do
  local id, attempt, index, stream = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
  local at, bytes = string.format("%.0f", rows[i + 4]), rows[i + 5]
  local job = job_of(id)
  local is_repeated = attempt == job.last_attempt and index <= job.last_index
  if attempt == job.attempt and not is_repeated then
    job.last_attempt, job.last_index = attempt, index
    keep(job, attempt, index, stream, at, bytes)
    if job.watchers ~= node then
      local piece = attempt .. " " .. index .. " " .. stream .. " " .. at .. "\n" .. bytes
      tell_watchers(job.watchers, node, "output", id, "", piece)
    end
  end
end
for id, job in pairs(jobs) do
  if job.last_index >= 0 and job.attempt then
    redis.call("HSET", job_key(id), "out", job.used, "piece", job.last_attempt .. " " .. job.last_index)
    call_in_parts("RPUSH", prefix .. "out:" .. id, job.pieces)
  end
end
publish_events("")
return "appended"
