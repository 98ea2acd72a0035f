-- Claims messages.
-- KEYS: + inbox, unacked   ARGV: consumer id, incarnation, limit, number of the first token, most bytes
-- Returns what `claim` says.

return claim(ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]))
