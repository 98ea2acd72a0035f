-- Puts messages at the end, or among the delayed ones, as new entries; their deliveries are forgotten.
-- ARGV: consumer id, delay in milliseconds, then ids

local consumer, delay = table.remove(ARGV, 1), tonumber(table.remove(ARGV, 1))
local bodies = {}
each_held(name_of(consumer), ARGV, function(row)
  local entry = redis.call('XRANGE', READY, row[1], row[1])[1]
  if entry then bodies[#bodies + 1] = body_of(entry[2]) end
  redis.call('XACK', READY, GROUP, row[1])
  redis.call('XDEL', READY, row[1])
end)
if delay > 0 then later(bodies, {}, delay) else ready_append(bodies) end
return #bodies
