-- Lets a consumer claim. Calls of its earlier incarnations that still are on their way claim nothing from now on.
-- KEYS: consumers, beats   ARGV: consumer id, incarnation, evidence ("c": its connection has its name, "-": not)

redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ARGV[3])
redis.call('ZADD', KEYS[2], now_ms(), ARGV[1])
return 1
