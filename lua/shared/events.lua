-- Events. A frame is four strings, each behind its length in 4 bytes: kind, job id, detail, bytes. A node's frames of one
-- script go out in one message. A wake-up for one node is such a frame: "wake", queue, delay in ms. One for all names the
-- node that knows already ("": none does), then in a line each a delay and a queue.
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

-- The earliest of a queue's wake-ups is enough: a claim tells when the next offer becomes visible.
local function wake(queue, delay)
  if not woken[queue] or delay < woken[queue] then woken[queue] = delay end
end

local function publish_events(origin)
  local message = origin
  for queue, delay in pairs(woken) do
    local bar = string.find(queue, "|", 1, true)
    if not bar then
      message = message .. "\n" .. text_of(delay) .. " " .. queue
    elseif string.sub(queue, bar + 1) ~= origin then
      tell(string.sub(queue, bar + 1), "wake", queue, text_of(delay), "")
    end
  end
  for node, list in pairs(frames) do
    redis.call("PUBLISH", channels .. "events:" .. node, table.concat(list))
  end
  if message ~= origin then redis.call("PUBLISH", channels .. "wake", message) end
end
