-- Takes replicas out of the catalog, and notes for each node what it has to drop. What is deleted from all is remembered, for
-- nodes that have it and were never listed.
-- KEYS[1] prefix
-- ARGV[1] the node whose replicas these are, or "": those of all   [2] msgpack: urls
-- Reply: one a url: the names of the nodes that had a replica
-- include shared/base.lua
-- include shared/catalog.lua
local only = ARGV[1]
local now, deleted = text_of(now_ms()), {}

local function delete(url)
  local key, names = data_key(url), {}
  local facts = redis.call("HGET", key, "facts")
  for _, field in ipairs(facts and redis.call("HKEYS", key) or {}) do
    local node = string.match(field, "^@(.+)$")
    if node and (only == "" or node == only) then
      redis.call("HSET", drops_key(node), url, sha256_of(facts))
      remove_replica(url, node)
      names[#names + 1] = node
    end
  end
  if facts and only == "" then
    deleted[#deleted + 1] = now
    deleted[#deleted + 1] = print_of(url, facts)
  end
  return names
end

allow_over_memory_limit()
local reply = {}
local urls = cmsgpack.unpack(ARGV[2])
for i, url in ipairs(urls) do reply[i] = delete(url) end
if only == "" then call_in_parts("ZREM", lost_key, urls) end
call_in_parts("ZADD", deleted_key, deleted)
if #deleted > 0 then
  redis.call("ZREMRANGEBYRANK", deleted_key, 0, -MOST_DELETED - 1)
  redis.call("PEXPIRE", deleted_key, KEEP_DELETED_MS)
end
return reply
