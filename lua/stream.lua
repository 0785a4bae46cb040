-- Marks running jobs as streaming their results, and tells the watchers.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] msgpack: id, attempt, and so on
-- Reply: "marked". What fenced attempts say is dropped.
-- include shared/base.lua
-- include shared/events.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
-- include shared/attempts.lua as attempts
local node = ARGV[2]
local rows = cmsgpack.unpack(ARGV[3])

local function mark(id, attempt)
  local record = attempts().set_running(node, id, attempt, "streams", attempt)
  if record then tell_watchers(jobs().read_live(record).watchers, node, "streaming", id, attempt, "") end
end

allow_over_memory_limit()
for i = 1, #rows, 2 do mark(rows[i], text_of(rows[i + 1])) end
publish_events("")
return "marked"
