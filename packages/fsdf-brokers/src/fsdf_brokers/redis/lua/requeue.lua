-- Puts messages at the end, or among the delayed ones; their claims are forgotten.
-- KEYS: ready, delayed, unacked, sequence   ARGV: delay in milliseconds, then tokens

local delay = tonumber(table.remove(ARGV, 1))
local messages = withdraw(KEYS[3], ARGV)
local values = {}
for i = 1, #messages do values[i] = (unpack_message(messages[i])) end
if delay > 0 then later(KEYS[2], KEYS[4], values, delay) else spread('RPUSH', KEYS[1], values) end
return #values
