-- Returns the ids of what a consumer holds.   ARGV: consumer id

if not group() then return {} end
return ids_of(redis.call('XPENDING', READY, GROUP, '-', '+', 1000000, name_of(ARGV[1])))
