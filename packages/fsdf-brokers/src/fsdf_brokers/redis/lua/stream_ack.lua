-- Deletes messages, whoever holds them by now.   ARGV: consumer id, then ids

for first = 2, #ARGV, 4000 do
  local last = math.min(first + 3999, #ARGV)
  redis.call('XACK', READY, GROUP, unpack(ARGV, first, last))
  redis.call('XDEL', READY, unpack(ARGV, first, last))
end
return 1
