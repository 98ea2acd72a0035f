-- Deletes messages that still are the consumer's.
-- KEYS: + unacked   ARGV: consumer id, then tokens

local consumer = table.remove(ARGV, 1)
spread('HDEL', KEYS[6], ARGV)
strike(consumer, ARGV)
return 1
