-- A heartbeat. Elects the consumer that looks for dead ones: it keeps the office while it beats.
-- KEYS: beats, sweeper, consumers
-- ARGV: consumer id, milliseconds of office, milliseconds until a beat is stale,
--       milliseconds until a dead consumer is forgotten, prefix of the consumers' keys
-- Returns the consumers to look at as {id, milliseconds since its beat, evidence, ...}; nothing to all but the
-- sweeper. The evidence is that of `admit`; "" means that the consumer is dead already, but a late call of its has
-- moved messages since.

redis.call('ZREM', KEYS[1], ARGV[1])
local now = now_ms()
redis.call('ZADD', KEYS[1], now, ARGV[1])
local sweeper = redis.call('GET', KEYS[2])
if sweeper and sweeper ~= ARGV[1] then return {} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
local stale = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3], 'WITHSCORES')
local found = {}
for i = 1, #stale, 2 do
  local consumer, silent = stale[i], now - tonumber(stale[i + 1])
  local admitted = redis.call('HGET', KEYS[3], consumer)
  local keys = {ARGV[5] .. 'inbox:' .. consumer, ARGV[5] .. 'unacked:' .. consumer}
  if admitted or redis.call('EXISTS', keys[1], keys[2]) > 0 then
    found[#found + 1] = consumer
    found[#found + 1] = silent
    found[#found + 1] = admitted and string.match(admitted, '%D$') or ''
  elseif silent >= tonumber(ARGV[4]) then
    redis.call('ZREM', KEYS[1], consumer)
  end
end
return found
