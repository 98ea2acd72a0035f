-- Gives back what lies where nobody looks: what late calls of consumers took that are dead by now, and what
-- consumers of other systems have not touched for long. Deletes the names of dead consumers, once nothing is pending.
-- KEYS: + sweeper of the names   ARGV: milliseconds until the next tidying, milliseconds that are long
-- Returns how many messages came back.

if not redis.call('SET', KEYS[6], '', 'NX', 'PX', ARGV[1]) or not group() then return 0 end
local count = 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', READY, GROUP)) do
  local one = record(flat)
  local ours = string.match(one.name, '^fsdf:([^:]+)')
  if ours then
    if redis.call('HEXISTS', CONSUMERS, ours) == 0 then
      count = count + give_back_name(one.name, string.match(one.name, ':inbox$') and 0 or nil)
    end
  elseif one.name ~= BACK and one.pending > 0 then
    local rows = redis.call('XPENDING', READY, GROUP, 'IDLE', ARGV[2], '-', '+', 1000, one.name)
    if #rows > 0 then
      local words = ids_of(rows)
      words[#words + 1] = 'JUSTID'
      redis.call('XCLAIM', READY, GROUP, BACK, 0, unpack(words))
      count = count + #rows
    end
  end
end
return count
