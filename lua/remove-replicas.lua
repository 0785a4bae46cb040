-- Says that a node has no replica of these any more; data without replicas leave the catalog, as lost.
-- KEYS[1] prefix
-- ARGV[1] node   [2] msgpack: urls
-- Reply: "removed"
-- include shared/base.lua
-- include shared/catalog.lua
allow_over_memory_limit()
local now, lost = text_of(now_ms()), {}
for _, url in ipairs(cmsgpack.unpack(ARGV[2])) do
  local _, is_lost = remove_replica(url, ARGV[1])
  if is_lost then
    lost[#lost + 1] = now
    lost[#lost + 1] = url
  end
end
call_in_parts("ZADD", lost_key, lost)
if #lost > 0 then redis.call("ZREMRANGEBYRANK", lost_key, 0, -MOST_LOST - 1) end
return "removed"
