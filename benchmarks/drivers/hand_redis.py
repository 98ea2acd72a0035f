"""By hand, Redis list: a worker pops N messages into a hash by script, and deletes each by its token when done."""

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
"""Seconds in BLMOVE, which keeps the message that wakes it in an inbox."""

TAKE = """
local bodies = redis.call('LPOP', KEYS[1], ARGV[1])
if not bodies then return {} end
local fields, token = {}, tonumber(ARGV[2])
for i = 1, #bodies do
  fields[2 * i - 1], fields[2 * i] = token + i - 1, bodies[i]
end
redis.call('HSET', KEYS[2], unpack(fields))
return bodies
"""


class HandRedis(Driver):
    """Acknowledge the last N and claim the next N in one pipeline, decode, call."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._client = self._producer()

    def publish(self, numbers: Iterable[int]) -> None:
        queue, push, dumps = self.setting.queue, self._client.rpush, orjson.dumps
        for number in numbers:
            push(queue, dumps({"x": number, "y": 2}))

    def publish_bulk(self, count: int) -> None:
        dumps = orjson.dumps
        self._client.rpush(self.setting.queue, *[dumps({"x": number, "y": 2}) for number in range(count)])

    decoded = staticmethod(orjson.loads)
    """Returns the arguments of a body."""

    def start(self) -> None:
        for number in range(self.setting.workers):
            threading.Thread(target=self._work, args=(number,), daemon=True).start()

    def _producer(self) -> redis.Redis:
        return redis.Redis.from_url(self.setting.address)

    def _connect(self) -> redis.Redis:
        return redis.Redis.from_url(self.setting.address, single_connection_client=True)

    def _work(self, number: int) -> None:
        loads, task = self.decoded, self.setting.task
        queue, unacked = self.setting.queue, f"{self.setting.queue}:unacked:{number}"
        inbox = f"{self.setting.queue}:inbox:{number}"
        client = self._connect()
        take = client.register_script(TAKE)
        done: list[int] = []
        token = 1
        while True:
            with client.pipeline(transaction=False) as pipeline:
                if done:
                    pipeline.hdel(unacked, *done)
                take(keys=(queue, unacked), args=(BATCH, token), client=pipeline)
                bodies = pipeline.execute()[-1]
            done = list(range(token, token + len(bodies)))
            token += len(bodies)
            for body in bodies:
                task(**loads(body))
            if not bodies and (one := client.blmove(queue, inbox, WAIT, "LEFT", "RIGHT")) is not None:
                task(**loads(one))
                client.ltrim(inbox, 1, 0)


build = HandRedis
