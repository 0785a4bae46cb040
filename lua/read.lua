-- Reads jobs, and watches them when a node is named.
-- KEYS[1] prefix
-- ARGV[1] the node that watches, or ""   [2] msgpack: ids   [3] "1": with outcome and placement, which may be large
-- Reply: one a job: "unknown", or {state, queue, label, order, attempt, deaths, node, created, started, finished, streams,
-- outcome, placement, progress, past deaths}, in which what is not there is "" (an outcome is there when the state is final), a
-- placement nil; of deaths what is kept of them, see attempts.lua
-- include shared/base.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
local watcher, is_whole = ARGV[1], ARGV[3] == "1"
local ids = cmsgpack.unpack(ARGV[2])
local running = attempts().find_running(ids)

local function row(state, job, history, finished, outcome, progress)
  local streams = history.streams ~= "0" and history.streams or ""
  return { state, job.queue, job.label, text_of(job.order), history.attempt, history.deaths, history.node,
    text_of(job.created), history.started, finished, streams, outcome,
    is_whole and job.placement or false, progress or "", is_whole and history.past or "-" }
end

local function read(id)
  local record = redis.call("GET", job_key(id))
  if not record then return "unknown" end
  if jobs().is_final(record) then
    local job = jobs().read_final(record)
    return row(job.state, job, attempts().read_history(job.history), text_of(job.finished),
      is_whole and jobs().outcome_of(id, job) or "")
  end
  local job, at = jobs().read_live(record), running[id]
  if watcher ~= "" then jobs().add_watcher(id, record, watcher) end
  if at then return row("running", job, attempts().history_with(id, at.entry, at.node), "", "", at.entry.progress) end
  return row("queued", job, attempts().history_of(id), "", "")
end

local reply = {}
for i, id in ipairs(ids) do reply[i] = read(id) end
return reply
