-- Publishes bodies to a channel.   KEYS: channel   ARGV: bodies
-- Returns how many subscribers the last one reached.

local reached = 0
for i = 1, #ARGV do reached = redis.call('PUBLISH', KEYS[1], ARGV[i]) end
return reached
