-- How a message is kept outside the ready list: its body, or, where its claims must be known,
-- "\0<claims>:<body>". A body that starts with \0 is always kept in the long form.

local function pack(body, claims)
  if claims == 1 and string.byte(body, 1) ~= 0 then return body end
  return '\0' .. claims .. ':' .. body
end

local function unpack_message(packed)
  if string.byte(packed, 1) ~= 0 then return packed, 1 end
  local colon = string.find(packed, ':', 2, true)
  return string.sub(packed, colon + 1), tonumber(string.sub(packed, 2, colon - 1))
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Calls a command with many arguments in slices that fit on Lua's stack. A slice has an even length,
-- so that pairs stay together.
local function spread(command, key, arguments)
  for first = 1, #arguments, 2000 do
    redis.call(command, key, unpack(arguments, first, math.min(first + 1999, #arguments)))
  end
end

-- Puts messages {packed, ...} back in front, the first one first; `uncount` claims are forgotten of each.
-- What was never claimed goes to the plain list, so that other systems see it.
local function give_back(ready, returned, messages, uncount)
  local fresh, counted = {}, {}
  for i = #messages, 1, -1 do
    local body, claims = unpack_message(messages[i])
    claims = claims - uncount
    if claims < 1 then fresh[#fresh + 1] = body else counted[#counted + 1] = pack(body, claims) end
  end
  spread('LPUSH', ready, fresh)
  spread('LPUSH', returned, counted)
  return #messages
end

-- Takes the messages of these tokens out of the hash; those that are not there belong to somebody else by now.
local function withdraw(unacked, tokens)
  local found, gone = {}, {}
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
  return found
end

-- Gives back everything that a consumer holds.
local function give_back_all(ready, returned, inbox, unacked)
  local fields = redis.call('HGETALL', unacked)
  local held = {}
  for i = 1, #fields, 2 do held[#held + 1] = {tonumber(fields[i]), fields[i + 1]} end
  table.sort(held, function(one, other) return one[1] < other[1] end)
  local messages = {}
  for i = 1, #held do messages[i] = held[i][2] end
  local waiting = redis.call('LRANGE', inbox, 0, -1)
  redis.call('DEL', unacked, inbox)
  local fresh = {}
  for i = #waiting, 1, -1 do fresh[#fresh + 1] = waiting[i] end
  spread('LPUSH', ready, fresh)
  return give_back(ready, returned, messages, 0) + #waiting
end
