"""By hand, Redis list, the limit: a worker moves N messages to a list of its own and drops that list when done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from benchmarks.drivers.hand_redis import WAIT, HandRedis

if TYPE_CHECKING:
    import redis

BATCH = 1000

TAKE = """
redis.call('DEL', KEYS[2])
local bodies = redis.call('LPOP', KEYS[1], ARGV[1])
if not bodies then return {} end
redis.call('RPUSH', KEYS[2], unpack(bodies))
return bodies
"""


class HandRedisList(HandRedis):
    """Acknowledge the last N and claim the next N with one command, decode, call. None can be acknowledged alone."""

    def _producer(self) -> redis.Redis:
        return self._connect()

    def _work(self, number: int) -> None:
        loads, task = orjson.loads, self.setting.task
        queue, unacked = self.setting.queue, f"{self.setting.queue}:unacked:{number}"
        client = self._connect()
        take = client.register_script(TAKE)
        while True:
            bodies = take(keys=(queue, unacked), args=(BATCH,))
            if not bodies:
                one = client.blmove(queue, unacked, WAIT, "LEFT", "RIGHT")
                bodies = () if one is None else (one,)
            for body in bodies:
                task(**loads(body))


build = HandRedisList
