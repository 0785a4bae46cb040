-- Events. A frame is four strings, each behind its length in 4 bytes: kind, job id, detail, bytes. A node's frames of one
-- script go out in one message. A wake-up names the node that knows already ("": none does), then the queues.
local channels = ARGV[1]
local frames = {}
local woken = {}

local function tell(node, kind, id, detail, bytes)
  local list = frames[node]
  if not list then
    list = {}
    frames[node] = list
  end
  list[#list + 1] = struct.pack(">I4c0I4c0I4c0I4c0", #kind, kind, #id, id, #detail, detail, #bytes, bytes)
end

local function tell_watchers(watchers, except, kind, id, detail, bytes)
  if not watchers or watchers == except then return end
  for node in string.gmatch(watchers, "[^ ]+") do
    if node ~= except then tell(node, kind, id, detail, bytes) end
  end
end

local function wake(queue) woken[queue] = true end

local function publish_events(origin)
  for node, list in pairs(frames) do
    redis.call("PUBLISH", channels .. "events:" .. node, table.concat(list))
  end
  local message = origin
  for queue in pairs(woken) do message = message .. "\n" .. queue end
  if message ~= origin then redis.call("PUBLISH", channels .. "wake", message) end
end
