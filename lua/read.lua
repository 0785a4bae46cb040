-- Reads jobs, and watches them when a node is named.
-- KEYS[1] prefix
-- ARGV[1] the node that watches, or ""   [2] msgpack: ids
-- Reply: one a job: "unknown", or {state, queue, label, order, attempt, deaths, node, created, started, finished, streams,
-- outcome, placement}, in which what is not there is "" (an outcome is there when the state is final), a placement nil
-- include shared/base.lua
local watcher = ARGV[1]

local function read(id)
  local key = job_key(id)
  local job = redis.call("HMGET", key, "state", "queue", "label", "order", "attempt", "deaths", "node", "created",
    "started", "finished", "streams", "watchers", "outcome", "placement")
  local state, watchers, outcome = job[1], job[12], job[13]
  if not state then return "unknown" end
  for i = 1, 11 do job[i] = job[i] or "" end
  local is_active = state == "queued" or state == "running"
  job[12] = not is_active and (outcome or redis.call("GET", prefix .. "outcome:" .. id)) or ""
  job[13], job[14] = job[14], nil
  if is_active and watcher ~= "" then add_watcher(key, watchers, watcher) end
  return job
end

local reply = {}
for _, id in ipairs(cmsgpack.unpack(ARGV[2])) do reply[#reply + 1] = read(id) end
return reply
