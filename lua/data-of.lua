-- Lists the urls that a node has replicas of, in several steps.
-- KEYS[1] prefix
-- ARGV[1] node   [2] "0", or where the last step ended   [3] about how many
-- Reply: {where this step ended, or "0" when it was the last, {url, …}}; a url may come twice
-- include shared/base.lua
-- include shared/catalog.lua
return redis.call("SSCAN", data_of_key(ARGV[1]), ARGV[2], "COUNT", ARGV[3])
