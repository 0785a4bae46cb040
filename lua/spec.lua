-- What a job is to run, or was: of one that waits, runs, has failed, or was cancelled.
-- KEYS[1] prefix
-- ARGV[1] id
-- Reply: the spec, or nil
-- include shared/base.lua
-- include shared/records.lua
-- include shared/jobs.lua as jobs
local record = redis.call("GET", job_key(ARGV[1]))
return record and jobs().spec_of(ARGV[1], record) or nil
