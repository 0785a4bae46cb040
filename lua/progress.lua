-- Keeps how far running jobs say that they are, and tells the watchers.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] msgpack: id, attempt, progress (a word), and so on
-- Reply: "kept". What fenced attempts say is dropped.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
local node = ARGV[2]
local rows = cmsgpack.unpack(ARGV[3])

local function keep(id, attempt, progress)
  local record = attempts().set_running(node, id, attempt, "progress", progress)
  if record then tell_watchers(jobs().read_live(record).watchers, node, "progress", id, attempt, progress) end
end

allow_over_memory_limit()
for i = 1, #rows, 3 do keep(rows[i], text_of(rows[i + 1]), rows[i + 2]) end
publish_events("")
return "kept"
