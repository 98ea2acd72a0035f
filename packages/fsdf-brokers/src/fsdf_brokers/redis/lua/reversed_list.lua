-- Layout: the ready messages are a list, the next one at its right end.

local function ready_append(bodies) spread('LPUSH', READY, bodies) end

local function ready_front(bodies) spread('RPUSH', READY, reversed(bodies)) end

local function ready_read(room) return reversed(redis.call('LRANGE', READY, -room, -1)) end

local function ready_drop(count) redis.call('LTRIM', READY, 0, -count - 1) end

local function ready_count() return redis.call('LLEN', READY) end

local function ready_clear() redis.call('UNLINK', READY) end
