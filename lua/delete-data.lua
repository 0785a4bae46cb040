-- Takes replicas out of the catalog, and notes for each node what it has to drop.
-- KEYS[1] prefix
-- ARGV[1] the node whose replicas these are, or "": those of all   [2] msgpack: urls
-- Reply: one a url: the names of the nodes that had a replica
-- include shared/base.lua
-- include shared/catalog.lua
local only = ARGV[1]

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
  return names
end

allow_over_memory_limit()
local reply = {}
local urls = cmsgpack.unpack(ARGV[2])
for i, url in ipairs(urls) do reply[i] = delete(url) end
if only == "" then call_in_parts("ZREM", lost_key, urls) end
return reply
