-- What is known of a job's attempts. Needs base.lua. All of it are texts.
-- An entry of running:<node> is "attempt started token", in which token is the claim's. When there is more to know of the
-- job, because it was begun before, or has output, or is to be cancelled, it is "+attempt started token out piece streams
-- cancel progress": bytes of output kept (-1 when cut), index of this attempt's last piece (-1: none), the attempt whose result
-- is a stream of items (0: none), 1 when a cancel was asked for: then its outcome stands in outcome:<id>; and a word on how
-- far it is (-: nothing was said).
-- History, in a final record and in `begun`, is "attempt started node deaths throws streams out back-attempt back-node past":
-- of the last attempt, and of the last that its node gave back; past has a word on each death, commas between: a line in
-- base64url, or "!attempt:node" of a node that was lost (-: none). What would be all 0 at the end may be left out. A job stands in
-- `begun` while it waits again, and while it runs under a second attempt or a later one.
local begun_key = prefix .. "begun"

local function read_entry(text)
  local attempt, started, token, more = string.match(text, "^%+?(%d+) (%d+) (%S+)(.*)$")
  local out, piece, streams, cancel, progress = string.match(more, "^ (%S+) (%S+) (%S+) (%S+) (%S+)$")
  return {
    attempt = attempt, started = started, token = token, out = out or "0", piece = piece or "-1",
    streams = streams or "0", is_cancelled = cancel == "1", progress = progress or "-",
  }
end

local function entry_text(entry)
  return string.format("+%s %s %s %s %s %s %s %s", entry.attempt, entry.started, entry.token, entry.out, entry.piece,
    entry.streams, entry.is_cancelled and "1" or "0", entry.progress)
end

local function read_history(text)
  local words = {}
  for word in string.gmatch(text or "", "%S+") do words[#words + 1] = word end
  return {
    attempt = words[1] or "0", started = words[2] or "", node = words[3] or "", deaths = words[4] or "0",
    throws = words[5] or "0", streams = words[6] or "0", out = words[7] or "0", back_attempt = words[8] or "0",
    back_node = words[9] or "-", past = words[10] or "-",
  }
end

local function history_text(history)
  if history.attempt == "0" then return "" end
  return string.format("%s %s %s %s %s %s %s %s %s %s", history.attempt, history.started, history.node, history.deaths,
    history.throws, history.streams, history.out, history.back_attempt, history.back_node, history.past)
end

local function add_death(history, word)
  history.past = history.past == "-" and word or history.past .. "," .. word
end

local function history_of(id) return read_history(redis.call("HGET", begun_key, id)) end

-- The history of a job with its present attempt.
local function history_with(id, entry, node)
  local history = entry.attempt == "1" and read_history() or history_of(id)
  history.attempt, history.started, history.node = entry.attempt, entry.started, node
  history.streams, history.out = entry.streams, entry.out
  return history
end

local function forget(id) redis.call("HDEL", begun_key, id) end

local function remember(id, history) redis.call("HSET", begun_key, id, history_text(history)) end

-- The entry of a job that was begun before.
local function next_entry(history, started, token)
  return {
    attempt = text_of(history.attempt + 1), started = started, token = token, out = history.out, piece = "-1",
    streams = history.streams, is_cancelled = false, progress = "-",
  }
end

-- Sets a field of the entry of an attempt that runs on the node, and gives the job's record; nothing of one that is fenced.
local function set_running(node, id, attempt, field, value)
  local text = redis.call("HGET", prefix .. "running:" .. node, id)
  local entry = text and read_entry(text)
  if not entry or entry.attempt ~= attempt then return end
  local record = redis.call("GET", job_key(id))
  if not record then return end
  entry[field] = value
  redis.call("HSET", prefix .. "running:" .. node, id, entry_text(entry))
  return record
end

-- Where jobs run, by id: {node, entry}. Asks for every node, as a job's record does not say it: that would cost every job.
local function find_running(ids)
  local found = {}
  for _, node in ipairs(redis.call("ZRANGE", prefix .. "nodes", 0, -1)) do
    for at, text in ipairs(call_in_parts("HMGET", prefix .. "running:" .. node, ids)) do
      if text then found[ids[at]] = { node = node, entry = read_entry(text) } end
    end
  end
  return found
end

return {
  read_entry = read_entry, entry_text = entry_text, read_history = read_history,
  history_text = history_text, history_of = history_of, history_with = history_with, remember = remember, forget = forget,
  add_death = add_death, next_entry = next_entry, find_running = find_running,
  set_running = set_running,
}
