-- Gives back what a dead consumer held, unless it has shown life in between. `beat` forgets it later: a last call of
-- its may still be on its way through the network.
-- KEYS: + beats, inbox, unacked   ARGV: consumer id, milliseconds without a beat that make it dead
-- Returns how many messages came back.

local beat = redis.call('ZSCORE', KEYS[6], ARGV[1])
if not beat then return 0 end
if now_ms() - tonumber(beat) < tonumber(ARGV[2]) then return 0 end
redis.call('HDEL', CONSUMERS, ARGV[1])
return give_back_all(ARGV[1])
