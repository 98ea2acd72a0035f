-- Makes the group, if it is missing, at the start of the stream.

if not group() then redis.call('XGROUP', 'CREATE', READY, GROUP, '0', 'MKSTREAM') end
return 1
