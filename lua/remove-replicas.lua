-- Says that a node has no replica of these any more; data without replicas leave the catalog.
-- KEYS[1] prefix
-- ARGV[1] node   [2] msgpack: urls
-- Reply: "removed"
-- include shared/base.lua
-- include shared/catalog.lua
allow_over_memory_limit()
for _, url in ipairs(cmsgpack.unpack(ARGV[2])) do remove_replica(url, ARGV[1]) end
return "removed"
