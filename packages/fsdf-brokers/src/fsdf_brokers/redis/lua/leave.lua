-- Ends a consumer and gives back what it still held.
-- KEYS: ready, returned, consumers, beats, inbox, unacked, sweeper   ARGV: consumer id

redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
if redis.call('GET', KEYS[7]) == ARGV[1] then redis.call('DEL', KEYS[7]) end
return give_back_all(KEYS[1], KEYS[2], KEYS[5], KEYS[6])
