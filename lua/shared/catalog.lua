-- The catalog of data. Needs base.lua.
local index_key = prefix .. "data-index"
local lost_key = prefix .. "data-lost"
local deleted_key = prefix .. "data-deleted"
local MOST_LOST, MOST_DELETED = 10000, 100000
-- Behind the last deletion: a node that was away for longer may bring back what nobody knew it had.
local KEEP_DELETED_MS = 7 * 24 * 3600 * 1000

local function data_key(url) return prefix .. "data:" .. url end
local function data_of_key(node) return prefix .. "data-of:" .. node end
local function drops_key(node) return prefix .. "drops:" .. node end

-- "size sha256 type", and a codec perhaps.
local function sha256_of(facts) return string.match(facts, "^%S+ (%S+)") end

-- As a member of deleted_key.
local function print_of(url, facts) return sha256_of(facts) .. " " .. url end

-- Beside its replicas an entry has two fields: facts and created. Gives whether there was one, and whether it was the last.
local function remove_replica(url, node)
  local key = data_key(url)
  local removed = redis.call("HDEL", key, "@" .. node)
  redis.call("SREM", data_of_key(node), url)
  if removed == 1 and redis.call("HLEN", key) <= 2 then
    redis.call("UNLINK", key)
    redis.call("ZREM", index_key, url)
    return true, true
  end
  return removed == 1, false
end
