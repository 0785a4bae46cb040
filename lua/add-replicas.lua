-- Says that a node has a replica of each.
-- KEYS[1] prefix
-- ARGV[1] node   [2] msgpack: url, facts, created, and so on; facts as in base.lua, created in ms or "" for now
--     [3] "copies": only of data that are there already, or lost; "own": not what the node has to drop; or ""
-- Reply: one word a row: "added" | "known" (the node was listed) | "exists" (other data has this url) | "gone" (a copy of what
--     is not there, or to be dropped); the last two change nothing
-- include shared/base.lua
-- include shared/catalog.lua
local node, rows, kind = ARGV[1], cmsgpack.unpack(ARGV[2]), ARGV[3]
local now = text_of(now_ms())
local field, of_key = "@" .. node, data_of_key(node)
local notes_key = redis.call("EXISTS", drops_key(node)) == 1 and drops_key(node)
local urls, new = {}, {}

local function is_to_drop(url, facts) return notes_key and redis.call("HGET", notes_key, url) == sha256_of(facts) end

local function add(url, facts, created)
  local key = data_key(url)
  local theirs, known = unpack(redis.call("HMGET", key, "facts", field))
  if theirs and theirs ~= facts then return "exists" end
  if kind == "copies" and not theirs and not redis.call("ZSCORE", lost_key, url) then return "gone" end
  if is_to_drop(url, facts) then
    if kind == "own" then return "gone" end
    redis.call("HDEL", notes_key, url) -- it is wanted again
  end
  if known then return "known" end
  if theirs then
    redis.call("HSET", key, field, "")
  else
    redis.call("HSET", key, "facts", facts, "created", created == "" and now or created, field, "")
    new[#new + 1] = "0"
    new[#new + 1] = url
  end
  urls[#urls + 1] = url
  return "added"
end

local reply = {}
for i = 1, #rows, 3 do reply[#reply + 1] = add(rows[i], rows[i + 1], rows[i + 2]) end
call_in_parts("ZADD", index_key, new)
call_in_parts("ZREM", lost_key, urls)
call_in_parts("SADD", of_key, urls)
return reply
