-- Adds bodies to the delayed ones; those of one due time keep their order.
local function later(delayed, sequence, bodies, delay)
  local due = now_ms() + delay
  local pairs_ = {}
  for i = 1, #bodies do
    pairs_[#pairs_ + 1] = due
    pairs_[#pairs_ + 1] = string.format('%016d:', redis.call('INCR', sequence)) .. bodies[i]
  end
  spread('ZADD', delayed, pairs_)
end

-- Moves what is due to the end of the ready list.
local function promote(ready, delayed)
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now_ms(), 'LIMIT', 0, 1000)
  if #due == 0 then return end
  local bodies = {}
  for i = 1, #due do bodies[i] = string.sub(due[i], string.find(due[i], ':', 1, true) + 1) end
  spread('ZREM', delayed, due)
  spread('RPUSH', ready, bodies)
end

-- Returns the milliseconds until the next delayed message is due, at least 1, or -1 if there is none.
local function until_next(delayed)
  local following = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  if #following == 0 then return -1 end
  return math.max(1, tonumber(following[2]) - now_ms())
end
