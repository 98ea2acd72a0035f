"""Looking at dead letters without being in each other's way."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.dead_letters import DeadLetters

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from fsdf_core.broker import Queue
    from fsdf_core.clock import Clock
    from fsdf_core.dead_letters import DeadTask

_FRESH = 10.0


@dataclass
class _Drawer:
    lock: threading.Lock = field(default_factory=threading.Lock)
    looked: float = float("-inf")
    limit: int = 0
    count: int = -1
    letters: list[DeadTask] = field(default_factory=list)


class DeadLetterDesk:
    """The dead letters of all queues. Whoever looks holds the messages for a moment, so one does it for all.

    Args:
        open_queue: returns a queue by name.
        clock: the time.
    """

    def __init__(self, open_queue: Callable[[str], Queue], clock: Clock = SYSTEM_CLOCK) -> None:
        self._open_queue = open_queue
        self._clock = clock
        self._lock = threading.Lock()
        self._drawers: dict[str, _Drawer] = {}

    def list(self, name: str, limit: int, count: int | None = None) -> list[DeadTask]:
        """Return up to `limit` dead letters of a queue.

        Args:
            name: the queue's.
            limit: how many at most.
            count: how many there are; with it, what was seen in the last 10 s is enough if there were as many.

        Raises:
            UnsupportedFeature: the broker cannot show them without losing them.
            BrokerError: it cannot be reached.
        """
        drawer = self._drawer(name)
        with drawer.lock:
            now = self._clock.monotonic()
            if count is None or drawer.count != count or drawer.limit != limit or now - drawer.looked > _FRESH:
                drawer.letters = DeadLetters(self._open_queue(name)).list(limit)
                drawer.looked, drawer.limit = self._clock.monotonic(), limit
                drawer.count = -1 if count is None else count
            return [*drawer.letters]

    def replay(self, name: str, task_ids: Collection[str] | None) -> int:
        """Send them back, None: all; return how many. Raises as `list`."""
        drawer = self._drawer(name)
        with drawer.lock:
            drawer.count = -1
            return DeadLetters(self._open_queue(name)).replay(task_ids)

    def drop(self, name: str, task_ids: Collection[str] | None) -> int:
        """Delete them, None: all; return how many. Raises as `list`."""
        drawer = self._drawer(name)
        with drawer.lock:
            drawer.count = -1
            return DeadLetters(self._open_queue(name)).drop(task_ids)

    def _drawer(self, name: str) -> _Drawer:
        with self._lock:
            return self._drawers.setdefault(name, _Drawer())
