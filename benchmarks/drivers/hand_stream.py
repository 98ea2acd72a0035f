"""By hand, Redis stream, the limit: XREADGROUP N, decode, call, XACK and XDEL N in one pipeline."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import orjson
import redis

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH = 1000
WAIT = 1000
"""Milliseconds."""
GROUP = "bench"


class HandStream(Driver):
    """A consumer of one group for each worker."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._client = self._connect()
        try:
            self._client.xgroup_create(setting.queue, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def publish(self, numbers: Iterable[int]) -> None:
        queue, add, dumps = self.setting.queue, self._client.xadd, orjson.dumps
        for number in numbers:
            add(queue, {"": dumps({"x": number, "y": 2})})

    def publish_bulk(self, count: int) -> None:
        queue, dumps = self.setting.queue, orjson.dumps
        with self._client.pipeline(transaction=False) as pipeline:
            for number in range(count):
                pipeline.xadd(queue, {"": dumps({"x": number, "y": 2})})
            pipeline.execute()

    def start(self) -> None:
        for number in range(self.setting.workers):
            threading.Thread(target=self._work, args=(f"worker-{number}",), daemon=True).start()

    def _connect(self) -> redis.Redis:
        return redis.Redis.from_url(self.setting.address, single_connection_client=True)

    def _work(self, name: str) -> None:
        loads, task, queue = orjson.loads, self.setting.task, self.setting.queue
        client = self._connect()
        while True:
            for _, entries in client.xreadgroup(GROUP, name, {queue: ">"}, count=BATCH, block=WAIT) or ():
                for _, fields in entries:
                    task(**loads(fields[b""]))
                ids = [identity for identity, _ in entries]
                with client.pipeline(transaction=False) as pipeline:
                    pipeline.xack(queue, GROUP, *ids)
                    pipeline.xdel(queue, *ids)
                    pipeline.execute()


build = HandStream
