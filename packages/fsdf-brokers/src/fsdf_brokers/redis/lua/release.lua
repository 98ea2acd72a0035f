-- Gives messages back to their old place, uncounted.
-- KEYS: ready, returned, unacked   ARGV: tokens, the oldest first

return give_back(KEYS[1], KEYS[2], withdraw(KEYS[3], ARGV), 1)
