-- Puts messages at the end, or among the delayed ones; their claims are forgotten.
-- KEYS: + unacked   ARGV: consumer id, delay in milliseconds, then tokens

local consumer, delay = table.remove(ARGV, 1), tonumber(table.remove(ARGV, 1))
local messages = withdraw(consumer, ARGV)
local bodies, ranks = {}, {}
for i = 1, #messages do
  local body, _, rank = unpack_message(messages[i])
  bodies[i], ranks[i] = body, rank
end
if delay > 0 then later(bodies, ranks, delay) elseif #bodies > 0 then ready_append(bodies, ranks) end
return #bodies
