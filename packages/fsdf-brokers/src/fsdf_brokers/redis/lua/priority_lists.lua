-- Layout: a list for each priority, the next message at its left end. The rank is the priority; nil is 0, the plain
-- key's. TOP is the highest.

local function list_of(rank) return rank and READY .. ':' .. rank or READY end

local function push(command, bodies, ranks)
  local groups, order = {}, {}
  for i = 1, #bodies do
    local key = list_of(ranks[i])
    if not groups[key] then
      groups[key] = {}
      order[#order + 1] = key
    end
    table.insert(groups[key], bodies[i])
  end
  for _, key in ipairs(order) do spread(command, key, groups[key]) end
  wake(#bodies)
end

-- `ranks` may have holes.
local function ready_append(bodies, ranks) push('RPUSH', bodies, ranks) end

local function ready_front(bodies, ranks)
  local turned = {}
  for i = 1, #bodies do turned[i] = ranks[#bodies + 1 - i] end
  push('LPUSH', reversed(bodies), turned)
end

-- Reads from the highest list that has any.
local function ready_read(room)
  for rank = TOP, 0, -1 do
    local name = rank > 0 and tostring(rank) or nil
    local values = redis.call('LRANGE', list_of(name), 0, room - 1)
    if #values > 0 then
      local ranks = {}
      for i = 1, #values do ranks[i] = name end
      return values, ranks, list_of(name)
    end
  end
  return {}
end

local function ready_drop(count, list) redis.call('LTRIM', list, count, -1) end

local function ready_count()
  local count = redis.call('LLEN', READY)
  for rank = 1, TOP do count = count + redis.call('LLEN', list_of(rank)) end
  return count
end

local function ready_clear()
  redis.call('UNLINK', READY)
  for rank = 1, TOP do redis.call('UNLINK', list_of(rank)) end
end
