-- Returns {ready, delayed, unacked}.

local ready, delayed = counts()
local state = group()
if not state then return {ready, delayed, 0} end
local unacked = state.pending
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', READY, GROUP)) do
  local one = record(flat)
  if one.name == BACK or string.match(one.name, '^fsdf:[^:]+:inbox$') then
    ready = ready + one.pending
    unacked = unacked - one.pending
  end
end
return {ready, delayed, unacked}
