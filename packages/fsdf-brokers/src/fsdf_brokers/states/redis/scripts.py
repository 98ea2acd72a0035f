"""The operations that Redis has no command for, each atomic on the server; effects are replicated, not scripts."""

from __future__ import annotations

import hashlib


class Script:
    """One Lua script.

    Attributes:
        source: its text.
        digest: by which the server knows it once it has run there.
    """

    def __init__(self, source: str) -> None:
        self.source = source.encode()
        self.digest = hashlib.sha1(self.source, usedforsecurity=False).hexdigest()


SET = Script("""
for i, key in ipairs(KEYS) do
    redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1])
end
""")
"""KEYS: those to write. ARGV: TTL in milliseconds, values."""

TELL = Script("""
local heard = ARGV[4] == '' or redis.call('PUBSUB', 'NUMSUB', ARGV[4])[2] > 0
for i, key in ipairs(KEYS) do
    redis.call('SET', key, ARGV[i + 4], 'PX', ARGV[1])
    if heard then
        redis.call('PUBLISH', ARGV[2] .. string.sub(key, ARGV[3]), '')
    end
end
""")
"""KEYS: those to write. ARGV: TTL in milliseconds, prefix of channels, where in a key its name begins, a channel that
all who listen to any of them listen to or '', values."""

NOTIFY = Script("""
for _, channel in ipairs(ARGV) do
    redis.call('PUBLISH', channel, '')
end
""")
"""KEYS: any of the slot. ARGV: channels."""

ADD = Script("""
local added = {}
for i, key in ipairs(KEYS) do
    local done
    if ARGV[1] == '' then
        done = redis.call('SET', key, ARGV[i + 1], 'NX')
    else
        done = redis.call('SET', key, ARGV[i + 1], 'NX', 'PX', ARGV[1])
    end
    if done then
        added[#added + 1] = i
    end
end
return added
""")
"""KEYS: those to write. ARGV: TTL in milliseconds or '', values. Returns the positions of the written ones."""

REPLACE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
if ARGV[3] == '' then
    redis.call('SET', KEYS[1], ARGV[2])
else
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
""")
"""KEYS: the key. ARGV: old value, new value, TTL in milliseconds or ''."""

TOUCH = Script("""
local touched = {}
for i, key in ipairs(KEYS) do
    if redis.call('GET', key) == ARGV[i + 1] then
        redis.call('PEXPIRE', key, ARGV[1])
        touched[#touched + 1] = i
    end
end
return touched
""")
"""KEYS: those to renew. ARGV: TTL in milliseconds, values. Returns the positions of the renewed ones."""

DELETE = Script("""
local count = 0
for i = 1, #KEYS, 2 do
    if redis.call('UNLINK', KEYS[i], KEYS[i + 1]) > 0 then
        count = count + 1
    end
end
return count
""")
"""KEYS: of each name the value and the hash. Returns how many names there were."""

INCREMENT = Script("""
local new = redis.call('EXISTS', KEYS[1]) == 0
redis.call('INCRBY', KEYS[1], ARGV[1])
if new then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return redis.call('GET', KEYS[1])
""")
"""KEYS: the counter. ARGV: what to add, TTL in milliseconds. Returns text: a number of Lua has 53 bits only."""

ACQUIRE = Script("""
local held = redis.call('GET', KEYS[1])
if held then
    local token, owner = string.match(held, '^(%d+):(.*)$')
    if owner ~= ARGV[1] then
        return false
    end
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return token
end
local now = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(last + 1, now[1] * 1000000 + now[2]))
redis.call('SET', KEYS[2], token)
redis.call('SET', KEYS[1], token .. ':' .. ARGV[1], 'PX', ARGV[2])
return token
""")
"""KEYS: the lease, the last token of all. ARGV: owner, TTL in milliseconds. Returns the token as text.

Tokens are at least the server's time in microseconds, so that they grow even when the server lost its data.
"""

RELEASE = Script("""
local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%d+:(.*)$') ~= ARGV[1] then
    return 0
end
return redis.call('DEL', KEYS[1])
""")
"""KEYS: the lease. ARGV: owner."""
