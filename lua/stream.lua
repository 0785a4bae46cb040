-- Marks running jobs as streaming their results, and tells the watchers.
-- KEYS[1] prefix
-- ARGV[1] prefix of the channels   [2] node   [3] msgpack: id, attempt, and so on
-- Reply: "marked". What fenced attempts say is dropped.
-- include shared/base.lua
-- include shared/events.lua
local node = ARGV[2]
local rows = cmsgpack.unpack(ARGV[3])
for i = 1, #rows, 2 do
  local id, attempt = rows[i], rows[i + 1]
  local found = redis.call("HMGET", job_key(id), "state", "node", "attempt", "watchers")
  if found[1] == "running" and found[2] == node and tonumber(found[3]) == attempt then
    redis.call("HSET", job_key(id), "streams", text_of(attempt))
    tell_watchers(found[4], node, "streaming", id, text_of(attempt), "")
  end
end
publish_events("")
return "marked"
