"""By hand, memory: threads over a `queue.Queue`, one message at a time."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import orjson

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.hand_body import body

if TYPE_CHECKING:
    from collections.abc import Iterable


class HandQueue(Driver):
    """`get`, decode, call, `task_done`."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._queue: queue.Queue[bytes] = queue.Queue()

    def publish(self, numbers: Iterable[int]) -> None:
        put = self._queue.put
        for number in numbers:
            put(body(number))

    def start(self) -> None:
        for _ in range(self.setting.workers):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        get, done = self._queue.get, self._queue.task_done
        loads, task = orjson.loads, self.setting.task
        while True:
            task(**loads(get()))
            done()


build = HandQueue
