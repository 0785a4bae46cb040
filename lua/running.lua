-- Lists the jobs that a node runs, but for exhausted ones that a sweep gave to it: each sweep lists those.
-- KEYS[1] prefix
-- ARGV[1] node
-- Reply: id, attempt, deaths, throws, and so on
-- include shared/base.lua
-- include shared/attempts.lua as attempts
local entries, reply = redis.call("HGETALL", prefix .. "running:" .. ARGV[1]), {}
for i = 1, #entries, 2 do
  local id, entry = entries[i], attempts().read_entry(entries[i + 1])
  if entry.token ~= "-" then
    local history, at = entry.attempt == "1" and attempts().read_history() or attempts().history_of(id), #reply
    reply[at + 1], reply[at + 2] = id, tonumber(entry.attempt)
    reply[at + 3], reply[at + 4] = tonumber(history.deaths), tonumber(history.throws)
  end
end
return reply
