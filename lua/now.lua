-- The store's clock.
-- KEYS[1] prefix
-- Reply: ms since the epoch
-- include shared/base.lua
return now_ms()
