-- Layout: ready and delayed messages are one sorted set by due time in seconds. A member is the body; if that is
-- there already, or starts with \0, it is "\0<number>:<body>". The rank is the due time.
-- Messages that are sent at once get due times a microsecond apart, so that they keep their order.

local LAST = PREFIX .. 'last'

local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- A number of microseconds as seconds, exactly.
local function seconds(microseconds)
  return string.format('%d.%06d', math.floor(microseconds / 1000000), microseconds % 1000000)
end

local function insert(bodies, ranks)
  for i = 1, #bodies do
    local body = bodies[i]
    if string.byte(body, 1) == 0 or redis.call('ZADD', READY, 'NX', ranks[i], body) == 0 then
      redis.call('ZADD', READY, ranks[i], '\0' .. redis.call('INCR', SEQUENCE) .. ':' .. body)
    end
  end
  wake(#bodies)
end

local function series(first, count)
  local ranks = {}
  for i = 1, count do ranks[i] = seconds(first + i - 1) end
  return ranks
end

-- Adds messages that are due now, after all others that are.
local function ready_append(bodies)
  local last = tonumber(redis.call('GET', LAST) or 0)
  local first = math.max(now_us() - #bodies + 1, last + 1)
  redis.call('SET', LAST, string.format('%d', first + #bodies - 1), 'PX', 60000)
  insert(bodies, series(first, #bodies))
end

local function later(bodies, _, delay) insert(bodies, series(now_us() + delay * 1000, #bodies)) end

-- Messages that were due come back to their old places.
local function ready_front(bodies, ranks) insert(bodies, ranks) end

local function promote() end

local function ready_read(room)
  local found = redis.call('ZRANGEBYSCORE', READY, '-inf', seconds(now_us()), 'WITHSCORES', 'LIMIT', 0, room)
  local bodies, ranks, members = {}, {}, {}
  for i = 1, #found, 2 do
    local member = found[i]
    members[#members + 1] = member
    ranks[#ranks + 1] = found[i + 1]
    bodies[#bodies + 1] = string.sub(member, string.match(member, '^%z%d+:()') or 1)
  end
  return bodies, ranks, members
end

local function ready_drop(_, members) spread('ZREM', READY, members) end

local function ready_clear() redis.call('UNLINK', READY) end

local function until_next()
  local following = redis.call('ZRANGE', READY, 0, 0, 'WITHSCORES')
  if #following == 0 then return -1 end
  return math.max(1, math.ceil((tonumber(following[2]) * 1000000 - now_us()) / 1000))
end

local function counts()
  local due = redis.call('ZCOUNT', READY, '-inf', seconds(now_us()))
  return due, redis.call('ZCARD', READY) - due
end
