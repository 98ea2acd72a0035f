-- Deletes what is ready or delayed.   Returns how many messages were deleted.

expire()
local ready, delayed = counts()
local count = ready + delayed + redis.call('LLEN', RETURNED)
ready_clear()
redis.call('UNLINK', RETURNED, DELAYED)
return count
