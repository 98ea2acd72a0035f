-- Layout: the ready messages are a list, the next one at its left end.

local function ready_append(bodies) spread('RPUSH', READY, bodies) end

local function ready_front(bodies) spread('LPUSH', READY, reversed(bodies)) end

local function ready_read(room) return redis.call('LRANGE', READY, 0, room - 1) end

local function ready_drop(count) redis.call('LTRIM', READY, count, -1) end

local function ready_count() return redis.call('LLEN', READY) end

local function ready_clear() redis.call('UNLINK', READY) end
