-- Deletes messages, whoever holds them by now.   ARGV: consumer id, then ids

-- Fewer than this are not worth a cut.
local MANY = 50

-- Returns the ids without those that are certainly before another one.
local function not_before(first, ids)
  local dash = string.find(first, '-', 1, true)
  local head, sequence = string.sub(first, 1, dash), tonumber(string.sub(first, dash + 1))
  local left = {}
  for i = 1, #ids do
    local id = ids[i]
    local own, is_before = string.sub(id, 1, dash), false
    if own == head then
      is_before = tonumber(string.sub(id, dash + 1)) < sequence
    elseif string.byte(own, dash) == 45 then
      is_before = own < head
    end
    if not is_before then left[#left + 1] = id end
  end
  return left
end

table.remove(ARGV, 1)
for first = 1, #ARGV, 4000 do
  redis.call('XACK', READY, GROUP, unpack(ARGV, first, math.min(first + 3999, #ARGV)))
end
local left = ARGV
if #ARGV >= MANY and group() then
  -- What was delivered before everything that is pending is acknowledged: to cut it off the start of the stream is
  -- many times faster than to delete it entry by entry.
  local oldest = redis.call('XPENDING', READY, GROUP, '-', '+', 1)[1]
  local first = oldest and oldest[1] or group()['last-delivered-id']
  redis.call('XTRIM', READY, 'MINID', first)
  left = not_before(first, ARGV)
end
spread('XDEL', READY, left)
return 1
