-- The end of a job. Needs base.lua, events.lua, records.lua and jobs.lua.
-- Ends a job that is not final, at the time `now`. `letter` as in jobs.lua; with "r" the outcome is there already, brought
-- by a cancel. `except` needs no event. Its entries in running:<node> and `begun`, and its own key of a spec, are the
-- caller's to delete, many at a time.
local function end_job(id, record, letter, history, outcome, now, ttl, except)
  local from, to = kept_part(record)
  local watchers, kind = string.sub(record, to + 1), string.byte(record)
  if kind % 2 == OFFERED then watchers = jobs().read_live(record).watchers end
  local kept = outcome
  if letter == "r" then
    letter, kept = "R", ""
    redis.call("PEXPIRE", prefix .. "outcome:" .. id, ttl)
  elseif #outcome > LONG then
    letter, kept = string.upper(letter), ""
    redis.call("SET", prefix .. "outcome:" .. id, outcome, "PX", ttl)
  end
  redis.call("SET", job_key(id), letter .. struct.pack(">dI2", now, #history) .. history ..
    string.sub(record, from, to) .. kept, "PX", ttl)
  if watchers ~= except and watchers ~= "" then
    local state = jobs().STATES[string.lower(letter)]
    tell_watchers(watchers, except, "finished", id, state, outcome or redis.call("GET", prefix .. "outcome:" .. id) or "")
  end
end
