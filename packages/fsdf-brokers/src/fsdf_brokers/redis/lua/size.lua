-- Returns {ready, delayed, unacked}.
-- KEYS: + beats

expire()
local ready, delayed = counts()
ready = ready + redis.call('LLEN', RETURNED)
local unacked = 0
for _, consumer in ipairs(redis.call('ZRANGE', KEYS[6], 0, -1)) do
  ready = ready + redis.call('LLEN', inbox_of(consumer))
  unacked = unacked + redis.call('HLEN', unacked_of(consumer))
end
return {ready, delayed, unacked}
