-- KEYS: ready, returned, delayed, beats   ARGV: prefix of the consumers' keys
-- Returns {ready, delayed, unacked}.

local ready = redis.call('LLEN', KEYS[1]) + redis.call('LLEN', KEYS[2])
local due = redis.call('ZCOUNT', KEYS[3], '-inf', now_ms())
local unacked = 0
for _, consumer in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  ready = ready + redis.call('LLEN', ARGV[1] .. 'inbox:' .. consumer)
  unacked = unacked + redis.call('HLEN', ARGV[1] .. 'unacked:' .. consumer)
end
return {ready + due, redis.call('ZCARD', KEYS[3]) - due, unacked}
