-- Reads and writes records, as records.lua describes them. Needs base.lua and records.lua.
-- "r": as was requested while it ran; "w" and "n": while it waited, so that no attempt said so.
local STATES = { s = "succeeded", f = "failed", c = "cancelled", r = "cancelled", w = "cancelled", n = "failed" }

local function is_final(record) return string.byte(record) >= 2 * AT_MOST_ONCE end

local function read_kept(job, record, from, to)
  job.queue, job.label = struct.unpack(">Bc0I2c0", record, from + 20)
  local index, base, created = struct.unpack(">I4dd", record, to - 19)
  job.index, job.base, job.order, job.created = index, base, base + index, created
  job.print = string.sub(record, from + 4, from + 19)
  local placement = from + 23 + #job.queue + #job.label
  if placement < to - 19 then job.placement = string.sub(record, placement + 1, to - 20) end
  return job
end

-- A job that is not final.
local function read_live(record)
  local from, to = kept_part(record)
  local job, at = { kind = string.byte(record) }, to + 1
  if job.kind % (2 * EXPIRES) >= EXPIRES then job.expires, at = struct.unpack(">d", record, at) end
  if job.kind % (2 * OFFERED) >= OFFERED then job.offers, job.inputs, at = struct.unpack(">I4c0I4c0", record, at) end
  if job.kind % (2 * BLOCKED) >= BLOCKED then job.after, job.inputs, at = struct.unpack(">I4c0I4c0", record, at) end
  job.watchers = string.sub(record, at)
  return read_kept(job, record, from, to)
end

local function read_final(record)
  local letter = string.sub(record, 1, 1)
  local job = { letter = string.lower(letter), has_own_outcome = string.upper(letter) == letter }
  job.state = STATES[job.letter]
  job.finished, job.history = struct.unpack(">dI2c0", record, 2)
  local from = 12 + #job.history
  local to = from + 23 + struct.unpack(">I4", record, from)
  local spec_bytes = job.letter == "s" and 0 or 4 + struct.unpack(">I4", record, to + 1)
  job.spec = string.sub(record, to + 5, to + spec_bytes)
  job.outcome = string.sub(record, to + spec_bytes + 1)
  return read_kept(job, record, from, to)
end

-- Of a record, or of the beginning of one.
local function read_print(record)
  local from = is_final(record) and 12 + struct.unpack(">I2", record, 10) or kept_part(record)
  return string.sub(record, from + 4, from + 19)
end

-- What to run: nil when the job has succeeded, and when Redis evicted it. A spec is never empty.
local function spec_of(id, record)
  local inside
  if is_final(record) then
    local job = read_final(record)
    if job.letter == "s" then return nil end
    inside = job.spec
  else
    inside = struct.unpack(">I4c0", record, 2)
  end
  return inside ~= "" and inside or redis.call("GET", prefix .. "spec:" .. id) or nil
end

local function outcome_of(id, job)
  return job.has_own_outcome and redis.call("GET", prefix .. "outcome:" .. id) or job.outcome
end

-- What stands behind the index of a job that is not final. `expires` is nil when it has none, `listed` when it is neither
-- offered nor blocked: else the offers, or the jobs that it waits for.
local function live_end(base, created, expires, listed, inputs, watchers)
  local text = struct.pack(">dd", base, created)
  if expires then text = text .. struct.pack(">d", expires) end
  if listed then text = text .. struct.pack(">I4c0I4c0", #listed, listed, #inputs, inputs) end
  return text .. watchers
end

-- A record of a job that is not final, after it was placed, anew or for the first time. `offers` is nil when it waits in its
-- queue, and `placement` when nothing was said.
local function placed_anew(record, job, offers, inputs, placement)
  local from = kept_part(record)
  local body = string.sub(record, from + 4, from + 22 + #job.queue + #job.label)
  if placement then body = body .. "\1" .. placement end
  local kind = job.kind - (job.offers and OFFERED or 0) - (job.after and BLOCKED or 0) + (offers and OFFERED or 0)
  return string.char(kind) .. string.sub(record, 2, from - 1) .. struct.pack(">I4", #body) .. body
    .. struct.pack(">I4", job.index) .. live_end(job.base, job.created, job.expires, offers, inputs, job.watchers)
end

-- Watchers stand last, so one more is simply added.
local function add_watcher(id, record, node)
  local watchers = read_live(record).watchers
  if string.find(" " .. watchers .. " ", " " .. node .. " ", 1, true) then return end
  redis.call("APPEND", job_key(id), watchers == "" and node or " " .. node)
end

return {
  STATES = STATES, is_final = is_final, read_live = read_live, read_final = read_final, read_print = read_print,
  spec_of = spec_of, outcome_of = outcome_of, live_end = live_end, placed_anew = placed_anew, add_watcher = add_watcher,
}
