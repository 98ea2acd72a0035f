-- Accepts a batch: all or, if memory is full, none.
-- ARGV: triples of delay in milliseconds, rank or "", body

local ready, ready_ranks = {}, {}
for i = 1, #ARGV, 3 do
  local delay, rank, body = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  if rank == '' then rank = nil end
  if delay > 0 then
    later({body}, {rank}, delay)
  else
    ready[#ready + 1] = body
    ready_ranks[#ready] = rank
  end
end
if #ready > 0 then ready_append(ready, ready_ranks) end
return 1
