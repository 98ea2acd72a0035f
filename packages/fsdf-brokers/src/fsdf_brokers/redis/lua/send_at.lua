-- Accepts a batch, as `send`; the rank is the moment it is due, in seconds, or "".
-- ARGV: triples of delay in milliseconds, rank or "", body

local ready = {}
for i = 1, #ARGV, 3 do
  local delay, rank, body = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  if rank ~= '' then
    insert({body}, {rank})
  elseif delay > 0 then
    later({body}, nil, delay)
  else
    ready[#ready + 1] = body
  end
end
if #ready > 0 then ready_append(ready) end
return 1
