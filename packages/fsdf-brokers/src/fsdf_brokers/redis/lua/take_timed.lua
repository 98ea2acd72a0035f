-- Claims messages for ACK_TIMEOUT milliseconds, after it has taken back those whose time is over.
-- KEYS, ARGV: as `take`   Returns what `claim` says.

expire()
local now = now_ms()
local first = tonumber(ARGV[4])
local answer = claim(ARGV[1], ARGV[2], tonumber(ARGV[3]), first, tonumber(ARGV[5]))
if answer[1] == -2 then return answer end
-- When memory is full and nothing was claimed, this fails; then only the beat is old.
redis.pcall('ZADD', BEATS, now, ARGV[1])
local deadlines = {}
for token = first, first + #answer[3] - 1 do
  deadlines[#deadlines + 1] = now + ACK_TIMEOUT
  deadlines[#deadlines + 1] = ending_of(ARGV[1], token)
end
spread('ZADD', DEADLINES, deadlines)
return answer
