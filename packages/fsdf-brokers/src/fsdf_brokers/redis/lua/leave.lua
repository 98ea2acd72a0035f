-- Ends a consumer and gives back what it still held.
-- KEYS: + beats, inbox, unacked, sweeper   ARGV: consumer id

redis.call('HDEL', CONSUMERS, ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
if redis.call('GET', KEYS[9]) == ARGV[1] then redis.call('DEL', KEYS[9]) end
return give_back_all(ARGV[1])
