"""By hand, Redis list, the limit: a worker moves N messages to its own list by script and drops that list when done."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import orjson
import redis

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH = 1000
WAIT = 1.0
"""Seconds in BLMOVE, whose message is then claimed with the rest."""

TAKE = """
redis.call('DEL', KEYS[2])
local bodies = redis.call('LPOP', KEYS[1], ARGV[1])
if not bodies then return {} end
redis.call('RPUSH', KEYS[2], unpack(bodies))
return bodies
"""


class HandRedis(Driver):
    """Acknowledge the last N and claim the next N with one command, decode, call."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._client = self._connect()

    def publish(self, numbers: Iterable[int]) -> None:
        queue, push, dumps = self.setting.queue, self._client.rpush, orjson.dumps
        for number in numbers:
            push(queue, dumps({"x": number, "y": 2}))

    def publish_bulk(self, count: int) -> None:
        dumps = orjson.dumps
        self._client.rpush(self.setting.queue, *[dumps({"x": number, "y": 2}) for number in range(count)])

    def start(self) -> None:
        for number in range(self.setting.workers):
            threading.Thread(target=self._work, args=(number,), daemon=True).start()

    def _connect(self) -> redis.Redis:
        return redis.Redis.from_url(self.setting.address, single_connection_client=True)

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


build = HandRedis
