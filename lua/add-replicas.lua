-- Says that a node has a replica of each.
-- KEYS[1] prefix
-- ARGV[1] node   [2] msgpack: url, facts, created, and so on; facts as in base.lua, created in ms or "" for now
--     [3] "copies": only of data that are there already, or lost; "own": not what was deleted; or ""
-- Reply: one word a row: "added" | "known" (the node was listed) | "exists" (other data has this url) | "gone" (a copy of what
--     is not there, or deleted); the last two change nothing
-- include shared/base.lua
-- include shared/catalog.lua
local node, rows, kind = ARGV[1], cmsgpack.unpack(ARGV[2]), ARGV[3]
local now = text_of(now_ms())
local field, of_key = "@" .. node, data_of_key(node)
local notes_key = redis.call("EXISTS", drops_key(node)) == 1 and drops_key(node)
local has_deleted = redis.call("EXISTS", deleted_key) == 1
local urls, new, named = {}, {}, {}

local function is_to_drop(url, facts) return notes_key and redis.call("HGET", notes_key, url) == sha256_of(facts) end

-- What came to its node later than that was saved anew, and this store has forgotten it.
local function is_deleted(url, facts, created)
  local at = has_deleted and redis.call("ZSCORE", deleted_key, print_of(url, facts))
  return at and (created == "" or tonumber(created) <= tonumber(at))
end

local function add(url, facts, created)
  local key = data_key(url)
  local theirs, known = unpack(redis.call("HMGET", key, "facts", field))
  if theirs and theirs ~= facts then return "exists" end
  if kind == "copies" and not theirs and not redis.call("ZSCORE", lost_key, url) then return "gone" end
  if kind == "own" and (is_to_drop(url, facts) or not theirs and is_deleted(url, facts, created)) then return "gone" end
  if is_to_drop(url, facts) then redis.call("HDEL", notes_key, url) end -- it is wanted again
  if known then return "known" end
  if theirs then
    redis.call("HSET", key, field, "")
  else
    redis.call("HSET", key, "facts", facts, "created", created == "" and now or created, field, "")
    new[#new + 1] = "0"
    new[#new + 1] = url
    named[#named + 1] = print_of(url, facts)
  end
  urls[#urls + 1] = url
  return "added"
end

local reply = {}
for i = 1, #rows, 3 do reply[#reply + 1] = add(rows[i], rows[i + 1], rows[i + 2]) end
call_in_parts("ZADD", index_key, new)
call_in_parts("ZREM", lost_key, urls)
if has_deleted then call_in_parts("ZREM", deleted_key, named) end
call_in_parts("SADD", of_key, urls)
return reply
