-- Gives messages back to their old place, uncounted.
-- KEYS: + unacked   ARGV: consumer id, then tokens, the oldest first

local consumer = table.remove(ARGV, 1)
return give_back(withdraw(consumer, ARGV), 1)
