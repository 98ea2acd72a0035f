-- Calls `each` with the row of each of the ids that still is pending under the name.
local function each_held(name, ids, each)
  if not group() then return end
  for i = 1, #ids do
    local rows = redis.call('XPENDING', READY, GROUP, ids[i], ids[i], 1, name)
    if rows[1] then each(rows[1]) end
  end
end
