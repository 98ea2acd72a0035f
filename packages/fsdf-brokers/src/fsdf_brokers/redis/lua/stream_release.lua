-- Gives messages back to their old place, uncounted.
-- ARGV: consumer id, then ids

local consumer = table.remove(ARGV, 1)
each_held(name_of(consumer), ARGV, function(row)
  redis.call('XCLAIM', READY, GROUP, BACK, 0, row[1], 'RETRYCOUNT', math.max(0, row[4] - 1), 'JUSTID')
end)
return 1
