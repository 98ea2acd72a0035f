-- Accepts a batch of which some messages are delayed: all or, if memory is full, none.
-- KEYS: ready, delayed, sequence   ARGV: pairs of delay in milliseconds and body

local ready = {}
for i = 1, #ARGV, 2 do
  local delay = tonumber(ARGV[i])
  if delay > 0 then later(KEYS[2], KEYS[3], {ARGV[i + 1]}, delay) else ready[#ready + 1] = ARGV[i + 1] end
end
spread('RPUSH', KEYS[1], ready)
return 1
