-- Deletes messages.   ARGV: ids

for first = 1, #ARGV, 4000 do
  local last = math.min(first + 3999, #ARGV)
  redis.call('XACK', READY, GROUP, unpack(ARGV, first, last))
  redis.call('XDEL', READY, unpack(ARGV, first, last))
end
return 1
