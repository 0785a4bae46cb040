-- The end of a job. Needs base.lua, events.lua, records.lua and jobs.lua.
-- Of jobs that end together, mostly all have the same beginning of their records, and go at the same time.
local last = {}

local function head_of(letter, history, now, ttl)
  if last.letter == letter and last.history == history then return last.head end
  local head = letter .. struct.pack(">dI2", now, #history) .. history
  last = { letter = letter, history = history, head = head, expiry = text_of(now + ttl) }
  return head
end

-- Ends a job that is not final, at the time `now`. `letter` as in jobs.lua; with "r" the outcome is there already, brought by
-- a cancel. `except` needs no event. Its entries in running:<node> and `begun`, and the own key of its spec when it succeeded, are
-- the caller's to delete, many at a time.
local function end_job(key, record, letter, history, outcome, now, ttl, except)
  local from, to = kept_part(record)
  local watchers, inside, id = string.sub(record, to + 1), outcome, string.sub(key, -ID)
  local spec = ""
  if string.byte(record) >= OFFERED then watchers = jobs().read_live(record).watchers end
  if letter ~= "s" then -- kept, so that it can be made once more
    spec = string.sub(record, 2, from - 1)
    if string.byte(record) % 2 == OWN_SPEC then redis.call("PEXPIRE", prefix .. "spec:" .. id, ttl) end
  end
  if letter == "r" then
    letter, inside = "R", ""
    redis.call("PEXPIRE", prefix .. "outcome:" .. id, ttl)
  elseif #outcome > LONG then
    letter, inside = string.upper(letter), ""
    redis.call("SET", prefix .. "outcome:" .. id, outcome, "PX", ttl)
  end
  local head = head_of(letter, history, now, ttl)
  redis.call("SET", key, head .. string.sub(record, from, to) .. spec .. inside, "PXAT", last.expiry)
  if watchers ~= except and watchers ~= "" then
    local state = jobs().STATES[string.lower(letter)]
    tell_watchers(watchers, except, "finished", id, state, outcome or redis.call("GET", prefix .. "outcome:" .. id) or "")
  end
end
