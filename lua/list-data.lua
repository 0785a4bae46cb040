-- Lists urls of the catalog, in the order of their bytes.
-- KEYS[1] prefix
-- ARGV[1] what they begin with   [2] what they come after   [3] how many at most
-- Reply: urls
-- include shared/base.lua
-- include shared/catalog.lua
local beginning, after, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local from = after < beginning and "[" .. beginning or "(" .. after
-- No byte of UTF-8 is 255.
return redis.call("ZRANGEBYLEX", index_key, from, "(" .. beginning .. "\255", "LIMIT", 0, limit)
