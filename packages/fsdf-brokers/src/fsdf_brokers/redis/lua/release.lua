-- Gives messages back to their old place, uncounted.
-- KEYS: + unacked   ARGV: tokens, the oldest first

return give_back(withdraw(KEYS[6], ARGV), 1)
