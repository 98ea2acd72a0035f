-- Claims up to `limit` messages for a consumer, in one step with their move to its unacknowledged ones.
-- KEYS: ready, returned, delayed, inbox, unacked, consumers
-- ARGV: consumer id, incarnation, limit, number of the first token, most bytes
-- Returns {milliseconds until the next delayed message or -1, {claims of the first bodies}, {bodies}};
-- {-2} if the consumer lost its lease or this call is a late one of an earlier incarnation.
-- Removals come before additions: when memory is full, Redis lets only such scripts pass.

local limit, token, budget = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local admitted = redis.call('HGET', KEYS[6], ARGV[1])
if not admitted or string.match(admitted, '^%d+') ~= ARGV[2] then return {-2} end

promote(KEYS[1], KEYS[3])

local bodies, claims, fields, bytes = {}, {}, {}, 0

local function claim(list, packed)
  while #bodies < limit and bytes < budget do
    local room = math.min(limit - #bodies, 1000)
    -- Bodies may be large: look at a few before reading many.
    if #bodies == 0 then room = math.min(room, 16) end
    if bytes > 0 then room = math.min(room, math.ceil((budget - bytes) * #bodies / bytes)) end
    local values = redis.call('LRANGE', list, 0, room - 1)
    if #values == 0 then return end
    redis.call('LTRIM', list, #values, -1)
    for i = 1, #values do
      local body, count = values[i], 1
      if packed then
        body, count = unpack_message(body)
        count = count + 1
        claims[#claims + 1] = count
      end
      bodies[#bodies + 1] = body
      bytes = bytes + #body
      fields[#fields + 1] = token
      fields[#fields + 1] = pack(body, count)
      token = token + 1
    end
    if #values < room then return end
  end
end

claim(KEYS[2], true)
claim(KEYS[4], false)
claim(KEYS[1], false)
spread('HSET', KEYS[5], fields)

return {#bodies == 0 and until_next(KEYS[3]) or -1, claims, bodies}
