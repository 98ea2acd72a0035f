-- Claims up to `limit` messages for a consumer, in one step with their move to its unacknowledged ones.
-- Returns {milliseconds until the next delayed message, {claims of the first bodies}, {bodies}}; instead of the
-- milliseconds -1 if there is none, 0 if more may be ready;
-- {-2} if the consumer lost its lease or this call is a late one of an earlier incarnation.
-- Removals come before additions: when memory is full, Redis lets only such scripts pass.
local function claim(consumer, incarnation, limit, token, budget)
  local admitted = redis.call('HGET', CONSUMERS, consumer)
  if not admitted or string.match(admitted, '^%d+') ~= incarnation then return {-2} end
  promote()

  local bodies, claims, fields, bytes, count = {}, {}, {}, 0, 0
  local format, first_byte = string.format, string.byte

  -- The loop is what a claim costs; calls and the length of a table are slow.
  local function drain(read, drop)
    while count < limit and bytes < budget do
      local room = math.min(limit - count, 1000)
      -- Bodies may be large: look at a few before reading many.
      if count == 0 then room = math.min(room, 16) end
      if bytes > 0 then room = math.min(room, math.ceil((budget - bytes) * count / bytes)) end
      local values, ranks, source, counted = read(room)
      if #values == 0 then return end
      drop(#values, source)
      local plain = not ranks and not counted
      for i = 1, #values do
        local body = values[i]
        local packed = body
        if not plain or first_byte(body, 1) == 0 then
          local number = counted and counted[i] + 1 or 1
          if counted then claims[#claims + 1] = number end
          packed = pack(body, number, ranks and ranks[i])
        end
        count = count + 1
        bodies[count] = body
        bytes = bytes + #body
        -- Redis is slow to write a number: four times as long as this.
        fields[2 * count - 1] = format('%d', token)
        fields[2 * count] = packed
        token = token + 1
      end
    end
  end

  drain(function(room)
    local values, ranks, counted = redis.call('LRANGE', RETURNED, 0, room - 1), {}, {}
    for i = 1, #values do
      local body, number, rank = unpack_message(values[i])
      values[i], counted[i], ranks[i] = body, number, rank
    end
    return values, ranks, nil, counted
  end, function(count) redis.call('LTRIM', RETURNED, count, -1) end)
  local inbox = inbox_of(consumer)
  drain(
    function(room) return redis.call('LRANGE', inbox, 0, room - 1) end,
    function(count) redis.call('LTRIM', inbox, count, -1) end
  )
  drain(ready_read, ready_drop)
  spread('HSET', unacked_of(consumer), fields)
  return {(count >= limit or bytes >= budget) and 0 or until_next(), claims, bodies}
end
