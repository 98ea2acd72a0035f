"""By hand, memory, the limit: threads that take and acknowledge a batch at a time under one lock."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import orjson

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.hand_body import body

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH = 100


class HandDeque(Driver):
    """Pop N, decode, call, acknowledge N."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._ready: deque[bytes] = deque()
        self._unacked: dict[int, list[bytes]] = {}
        self._claims = 0
        self._changed = threading.Condition()

    def publish(self, numbers: Iterable[int]) -> None:
        ready, changed = self._ready, self._changed
        for number in numbers:
            encoded = body(number)
            with changed:
                ready.append(encoded)
                changed.notify()

    def publish_bulk(self, count: int) -> None:
        bodies = [body(number) for number in range(count)]
        with self._changed:
            self._ready.extend(bodies)
            self._changed.notify_all()

    def start(self) -> None:
        for _ in range(self.setting.workers):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        loads, task = orjson.loads, self.setting.task
        while True:
            claim, bodies = self._claim()
            for encoded in bodies:
                task(**loads(encoded))
            with self._changed:
                del self._unacked[claim]

    def _claim(self) -> tuple[int, list[bytes]]:
        with self._changed:
            while not self._ready:
                self._changed.wait()
            popleft = self._ready.popleft
            bodies = [popleft() for _ in range(min(BATCH, len(self._ready)))]
            self._claims += 1
            self._unacked[self._claims] = bodies
            return self._claims, bodies


build = HandDeque
