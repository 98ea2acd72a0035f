-- Delayed messages of the layouts that are lists: a sorted set of "<sequence>:<packed message>" by due time.

-- Adds bodies to the delayed ones; those of one due time keep their order.
local function later(bodies, ranks, delay)
  local due = now_ms() + delay
  local pairs_ = {}
  for i = 1, #bodies do
    pairs_[#pairs_ + 1] = due
    pairs_[#pairs_ + 1] = string.format('%016d:', redis.call('INCR', SEQUENCE)) .. pack(bodies[i], 1, ranks[i])
  end
  spread('ZADD', DELAYED, pairs_)
end

-- Moves what is due to the end of the ready ones.
local function promote()
  local due = redis.call('ZRANGEBYSCORE', DELAYED, '-inf', now_ms(), 'LIMIT', 0, 1000)
  if #due == 0 then return end
  local bodies, ranks = {}, {}
  for i = 1, #due do
    local body, _, rank = unpack_message(string.sub(due[i], string.find(due[i], ':', 1, true) + 1))
    bodies[i], ranks[i] = body, rank
  end
  spread('ZREM', DELAYED, due)
  ready_append(bodies, ranks)
end

-- Returns the milliseconds until the next delayed message is due, at least 1, or -1 if there is none.
local function until_next()
  local following = redis.call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
  if #following == 0 then return -1 end
  return math.max(1, tonumber(following[2]) - now_ms())
end

-- Returns how many messages can be delivered now, and how many wait for their time.
local function counts()
  local due = redis.call('ZCOUNT', DELAYED, '-inf', now_ms())
  return ready_count() + due, redis.call('ZCARD', DELAYED) - due
end
