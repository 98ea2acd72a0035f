-- Claims messages.
-- ARGV: consumer id, incarnation, limit, most bytes
-- Returns {milliseconds until the next delayed message, {ids}, {bodies}, {deliveries of the first ones}}; instead of
-- the milliseconds -1 if there is none, 0 if more may be ready;
-- {-2} if the consumer lost its lease or this call is a late one of an earlier incarnation.

local consumer, incarnation, limit, budget = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local admitted = redis.call('HGET', CONSUMERS, consumer)
if not admitted or string.match(admitted, '^%d+') ~= incarnation then return {-2} end
promote()

local name, ids, bodies, claims, bytes = name_of(consumer), {}, {}, {}, 0

local function room()
  if bytes >= budget then return 0 end
  local most = math.min(limit - #bodies, 1000)
  -- Bodies may be large: look at a few before reading many.
  if #bodies == 0 then return math.min(most, 16) end
  return math.min(most, math.ceil((budget - bytes) * #bodies / math.max(bytes, 1)))
end

local function add(entry)
  local body = body_of(entry[2])
  ids[#ids + 1] = entry[1]
  bodies[#bodies + 1] = body
  bytes = bytes + #body
end

-- Takes over what is pending under another name.
local function take_over(other, fresh)
  local most = room()
  while most > 0 do
    local rows = redis.call('XPENDING', READY, GROUP, '-', '+', most, other)
    if #rows == 0 then return end
    local wanted, deliveries = ids_of(rows), {}
    for i = 1, #rows do deliveries[rows[i][1]] = fresh and 1 or rows[i][4] + 1 end
    local words = {unpack(wanted)}
    if fresh then
      words[#words + 1] = 'RETRYCOUNT'
      words[#words + 1] = 1
    end
    local entries = redis.call('XCLAIM', READY, GROUP, name, 0, unpack(words))
    for i = 1, #wanted do
      local entry = entries[i]
      if entry then
        add(entry)
        claims[#claims + 1] = deliveries[entry[1]]
        deliveries[entry[1]] = nil
      end
    end
    -- What others have deleted meanwhile.
    for id in pairs(deliveries) do redis.call('XACK', READY, GROUP, id) end
    most = room()
  end
end

take_over(BACK)
take_over(inbox_of(consumer), true)
local most = room()
while most > 0 do
  local answer = redis.call('XREADGROUP', 'GROUP', GROUP, name, 'COUNT', most, 'STREAMS', READY, '>')
  local entries = answer and answer[1][2] or {}
  for i = 1, #entries do add(entries[i]) end
  most = #entries == most and room() or 0
end
return {(#bodies >= limit or bytes >= budget) and 0 or until_next(), ids, bodies, claims}
