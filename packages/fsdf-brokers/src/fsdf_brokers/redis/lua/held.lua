-- What consumers hold, and how it comes back.

local function unacked_of(consumer) return PREFIX .. 'unacked:' .. consumer end

local function inbox_of(consumer) return PREFIX .. 'inbox:' .. consumer end

-- Takes back the messages of claims that have ended by themselves: none where leases decide.
local expire = function() end

-- Forgets when the claims of these tokens would have ended.
local strike = function(consumer, tokens) end

-- Puts messages {packed, ...} back in front, the first one first; `uncount` claims are forgotten of each.
-- What was never claimed goes to the ready ones, so that other systems see it.
local function give_back(messages, uncount)
  local fresh, ranks, counted = {}, {}, {}
  for i = 1, #messages do
    local body, claims, rank = unpack_message(messages[i])
    claims = claims - uncount
    if claims < 1 then
      fresh[#fresh + 1] = body
      ranks[#fresh] = rank
    else
      counted[#counted + 1] = pack(body, claims, rank)
    end
  end
  if #fresh > 0 then ready_front(fresh, ranks) end
  spread('LPUSH', RETURNED, reversed(counted))
  return #messages
end

-- Takes the messages of these tokens from the consumer; those that are not there belong to somebody else by now.
local function withdraw(consumer, tokens)
  local unacked, found, gone = unacked_of(consumer), {}, {}
  for first = 1, #tokens, 2000 do
    local last = math.min(first + 1999, #tokens)
    local values = redis.call('HMGET', unacked, unpack(tokens, first, last))
    for i = 1, #values do
      if values[i] then
        found[#found + 1] = values[i]
        gone[#gone + 1] = tokens[first + i - 1]
      end
    end
  end
  spread('HDEL', unacked, gone)
  strike(consumer, gone)
  return found
end

-- Gives back everything that a consumer holds.
local function give_back_all(consumer)
  local inbox, unacked = inbox_of(consumer), unacked_of(consumer)
  local fields = redis.call('HGETALL', unacked)
  local held = {}
  for i = 1, #fields, 2 do held[#held + 1] = {tonumber(fields[i]), fields[i + 1]} end
  table.sort(held, function(one, other) return one[1] < other[1] end)
  local messages, tokens = {}, {}
  for i = 1, #held do tokens[i], messages[i] = held[i][1], held[i][2] end
  local waiting = redis.call('LRANGE', inbox, 0, -1)
  redis.call('DEL', unacked, inbox)
  strike(consumer, tokens)
  if #waiting > 0 then ready_front(waiting, {}) end
  return give_back(messages, 0) + #waiting
end
