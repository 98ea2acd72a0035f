-- Claims that end by themselves after ACK_TIMEOUT milliseconds.

-- Sorted set of "<token of 16 digits> <consumer>" by the moment at which the claim ends; what was acknowledged may stay until then.
local DEADLINES = PREFIX .. 'deadlines'

-- Sorted set of consumers by the moment of their last claim.
local BEATS = PREFIX .. 'beats'

local function claim_of(member)
  return string.format('%d', tonumber(string.sub(member, 1, 16))), unacked_of(string.sub(member, 18))
end

local function expire(now)
  local ended = redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, 1000)
  if #ended > 0 then
    local back = {}
    for i = 1, #ended do
      local token, unacked = claim_of(ended[i])
      local message = redis.call('HGET', unacked, token)
      if message then
        redis.call('HDEL', unacked, token)
        back[#back + 1] = message
      end
    end
    spread('ZREM', DEADLINES, ended)
    give_back(back, 0)
  end
  local silent = redis.call('ZRANGEBYSCORE', BEATS, '-inf', now - ACK_TIMEOUT - 60000, 'LIMIT', 0, 10)
  for _, consumer in ipairs(silent) do
    if redis.call('EXISTS', unacked_of(consumer)) == 0 then
      redis.call('ZREM', BEATS, consumer)
      redis.call('HDEL', CONSUMERS, consumer)
    end
  end
end

-- Returns how many claims have ended without anybody having taken the messages back yet.
local function overdue()
  local count = 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now_ms())) do
    local token, unacked = claim_of(member)
    count = count + redis.call('HEXISTS', unacked, token)
  end
  return count
end
