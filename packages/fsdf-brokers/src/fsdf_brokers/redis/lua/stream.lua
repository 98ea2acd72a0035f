-- Layout: the queue's key is a stream; an entry has one field, whose value is the body. GROUP consumes it.
-- What a consumer holds is pending in the group under its name. What came back is pending under the name BACK until
-- somebody takes it, so that its deliveries are still counted and other systems see it.

local BACK = 'fsdf::returned'

local function name_of(consumer) return 'fsdf:' .. consumer end

-- The name under which an idle consumer waits; `take` moves what woke it.
local function inbox_of(consumer) return 'fsdf:' .. consumer .. ':inbox' end

-- Returns a body: the value of the only field, or else a JSON array of all, which is no task.
local function body_of(fields)
  if #fields == 2 then return fields[2] end
  return cjson.encode(fields)
end

local function record(flat)
  local result = {}
  for i = 1, #flat, 2 do result[flat[i]] = flat[i + 1] end
  return result
end

-- Returns what the server knows of the group, or nil.
local function group()
  if redis.call('EXISTS', READY) == 0 then return nil end
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', READY)) do
    local found = record(flat)
    if found.name == GROUP then return found end
  end
  return nil
end

local function ready_append(bodies)
  for i = 1, #bodies do redis.call('XADD', READY, '*', '', bodies[i]) end
end

-- Returns how many entries were never delivered.
local function ready_count()
  local state = group()
  if not state then return redis.call('XLEN', READY) end
  if state.lag then return state.lag end
  -- The server does not say it: before 7 never, later not while the last delivered entry is a deleted one.
  local left = math.max(0, redis.call('XLEN', READY) - state.pending)
  local added = record(redis.call('XINFO', 'STREAM', READY))['entries-added']
  if added and state['entries-read'] then return math.min(left, added - state['entries-read']) end
  return left
end

-- Calls `each` with {id, consumer, idle milliseconds, deliveries} rows of what is pending under a name,
-- as long as `each` takes them away.
local function each_pending(name, each)
  repeat
    local rows = redis.call('XPENDING', READY, GROUP, '-', '+', 1000, name)
    if #rows > 0 then each(rows) end
  until #rows == 0
end

local function ids_of(rows)
  local ids = {}
  for i = 1, #rows do ids[i] = rows[i][1] end
  return ids
end

-- Gives back everything that is pending under a name, and deletes the name.
local function give_back_name(name, deliveries)
  local count = 0
  each_pending(name, function(rows)
    local words = ids_of(rows)
    count = count + #words
    words[#words + 1] = 'JUSTID'
    if deliveries then
      words[#words + 1] = 'RETRYCOUNT'
      words[#words + 1] = deliveries
    end
    redis.call('XCLAIM', READY, GROUP, BACK, 0, unpack(words))
  end)
  redis.call('XGROUP', 'DELCONSUMER', READY, GROUP, name)
  return count
end

-- Gives back everything that a consumer holds.
local function give_back_all(consumer)
  if not group() then return 0 end
  return give_back_name(inbox_of(consumer), 0) + give_back_name(name_of(consumer))
end
