-- Consumers that no key of messages can wake wait for an element of this list, then look.
local WAKE = PREFIX .. 'wake'

-- Wakes as many waiting consumers as there are messages; an element that nobody waits for wakes the next to wait.
local function wake(messages)
  local missing = math.min(messages, redis.call('HLEN', CONSUMERS)) - redis.call('LLEN', WAKE)
  if missing <= 0 then return end
  for _ = 1, missing do redis.call('RPUSH', WAKE, '') end
  redis.call('PEXPIRE', WAKE, 60000)
end
