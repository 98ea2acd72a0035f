-- Every script of a layout gets these keys first; what a script adds is numbered from 6.
local READY, RETURNED, DELAYED, SEQUENCE, CONSUMERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

-- Start of all keys beside the ready one.
local PREFIX = RETURNED and string.sub(RETURNED, 1, -9) or ''

-- How a message is kept outside the ready ones: its body, or, where its claims or its rank must be known,
-- "\0<claims>:<body>" or "\0<claims>,<rank>:<body>". A body that starts with \0 is always kept in the long form.
-- The rank is what the layout needs to put a message back into its place; nil for most.

local function pack(body, claims, rank)
  if rank then return '\0' .. claims .. ',' .. rank .. ':' .. body end
  if claims == 1 and string.byte(body, 1) ~= 0 then return body end
  return '\0' .. claims .. ':' .. body
end

-- Returns body, claims, rank.
local function unpack_message(packed)
  if string.byte(packed, 1) ~= 0 then return packed, 1, nil end
  local colon = string.find(packed, ':', 2, true)
  local head, body = string.sub(packed, 2, colon - 1), string.sub(packed, colon + 1)
  local comma = string.find(head, ',', 1, true)
  if not comma then return body, tonumber(head), nil end
  return body, tonumber(string.sub(head, 1, comma - 1)), string.sub(head, comma + 1)
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

local function reversed(values)
  local result = {}
  for i = #values, 1, -1 do result[#result + 1] = values[i] end
  return result
end
