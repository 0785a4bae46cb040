-- Records of jobs, the values of job:<id>. Numbers are big-endian, and a size stands before its bytes.
-- Of a job that is not final:
--   1 byte    0; 1 more when its spec has a key of its own, 2 when it is offered, 4 when it expires, 8 when it is blocked, 16 when it
--             runs at most once
--   4         spec
--   4         body: what stays as it is: print (16 bytes), queue (size in 1), label (size in 2), and, of a job that was
--             placed, a 1 and the placement
--   4, 8, 8   index, base, created: the order is base + index; doubles but for the index, and of ms as all times
--   8         when it expires, as a double, when it does
--   4, 4      offers, and inputs (urls, one a line), when it is offered
--   4, 4      the jobs that it waits for (ids, one a line), and inputs, when it is blocked
--             watchers: names, a space between them
-- All up to the index comes from who submits it. Of a final one, where body, index, base and created are as they were:
--   1 byte    a letter: see STATES in jobs.lua; a capital when the outcome has a key of its own
--   8         finished, as a double
--   2         history: see attempts.lua
--   4, and so on, from body to created
--   4         spec, as it was, of one that did not succeed
--             outcome
local LONG = 4096 -- A spec or outcome of more bytes has a key of its own, so that scripts need not copy it.
local OWN_SPEC, OFFERED, EXPIRES, BLOCKED, AT_MOST_ONCE = 1, 2, 4, 8, 16

-- Where body to created of a job that is not final begin, and where they end.
local function kept_part(record)
  local from = 6 + struct.unpack(">I4", record, 2)
  return from, from + 23 + struct.unpack(">I4", record, from)
end
