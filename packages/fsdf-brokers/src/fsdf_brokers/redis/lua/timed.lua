-- Claims that end by themselves after ACK_TIMEOUT milliseconds.

-- Sorted set of "<token of 16 digits> <consumer>" by the moment at which the claim ends.
local DEADLINES = PREFIX .. 'deadlines'

-- Sorted set of consumers by the moment of their last claim.
local BEATS = PREFIX .. 'beats'

local function ending_of(consumer, token) return string.format('%016d %s', token, consumer) end

-- Returns the token, and the key of the consumer's unacknowledged messages.
local function claim_of(member)
  return string.format('%d', tonumber(string.sub(member, 1, 16))), unacked_of(string.sub(member, 18))
end

strike = function(consumer, tokens)
  local endings = {}
  for i = 1, #tokens do endings[i] = ending_of(consumer, tokens[i]) end
  spread('ZREM', DEADLINES, endings)
end

expire = function()
  local now = now_ms()
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
