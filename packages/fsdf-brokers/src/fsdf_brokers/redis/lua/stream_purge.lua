-- Deletes what is ready or delayed.   Returns how many messages were deleted.

local count = redis.call('ZCARD', DELAYED)
redis.call('UNLINK', DELAYED)
local state = group()
if not state then return count + redis.call('XTRIM', READY, 'MAXLEN', 0) end

local function delete(entries)
  local ids = ids_of(entries)
  redis.call('XACK', READY, GROUP, unpack(ids))
  count = count + redis.call('XDEL', READY, unpack(ids))
end

each_pending(BACK, delete)
repeat
  local entries = redis.call('XRANGE', READY, '(' .. state['last-delivered-id'], '+', 'COUNT', 1000)
  if #entries > 0 then delete(entries) end
until #entries == 0
-- From 7 on the server counts what the group has read.
local added = record(redis.call('XINFO', 'STREAM', READY))['entries-added']
if added then
  redis.call('XGROUP', 'SETID', READY, GROUP, '$', 'ENTRIESREAD', added)
else
  redis.call('XGROUP', 'SETID', READY, GROUP, '$')
end
return count
