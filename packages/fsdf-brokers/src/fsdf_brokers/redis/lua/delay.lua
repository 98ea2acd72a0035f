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
