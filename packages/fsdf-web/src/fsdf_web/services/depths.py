"""How many messages queues hold, without waiting for brokers that are slow or gone."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.dead_letter import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsdf_core.broker import Queue
    from fsdf_core.clock import Clock

_FRESH = 2.0
_PATIENCE = 0.5
_THREADS = 8


@dataclass(frozen=True)
class Depth:
    """What a queue held when somebody looked.

    Attributes:
        ready: messages deliverable now; None if the broker cannot tell, or could not be asked.
        delayed: waiting for their time.
        running: delivered and not done.
        dead: on the dead-letter queue; None if it was not asked.
        trouble: why it could not be asked; "" if it could.
    """

    ready: int | None = None
    delayed: int | None = None
    running: int | None = None
    dead: int | None = None
    trouble: str = ""


class Depths:
    """Asks brokers in threads `fsdf-web-depth`, at most every two seconds a queue, for all visitors together.

    Args:
        open_queue: returns a queue by name.
        clock: the time.
    """

    def __init__(self, open_queue: Callable[[str], Queue], clock: Clock = SYSTEM_CLOCK) -> None:
        self._open_queue = open_queue
        self._clock = clock
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._asked: dict[str, tuple[float, Future[Depth]]] = {}
        self._known: dict[str, Depth] = {}

    def of(self, names: Iterable[str]) -> dict[str, Depth]:
        """Return the depths; what does not come within 0.5 s is what was known before."""
        names = list(names)
        pending = [self._ask(name) for name in names]
        wait(pending, _PATIENCE)
        for name, future in zip(names, pending, strict=True):
            if future.done():
                self._known[name] = future.result()
        return {name: self._known.get(name, Depth(trouble="no answer yet")) for name in names}

    def forget(self, name: str) -> None:
        """Ask anew next time, because something was done to the queue."""
        with self._lock:
            self._asked.pop(name, None)

    def close(self) -> None:
        """Ask no more."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None

    def _ask(self, name: str) -> Future[Depth]:
        now = self._clock.monotonic()
        with self._lock:
            moment, future = self._asked.get(name, (0.0, None))
            if future is not None and (not future.done() or now - moment < _FRESH):
                return future
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="fsdf-web-depth")
            asked = self._pool.submit(self._measure, name)
            self._asked[name] = (now, asked)
            return asked

    def _measure(self, name: str) -> Depth:
        try:
            queue = self._open_queue(name)
            if not queue.broker.capabilities.size:
                return Depth()
            size = queue.size()
            dead = queue.broker.queue(name + SUFFIX).size().total if queue.broker.capabilities.acks else None
        except Exception as error:  # noqa: BLE001 - each client library has errors of its own
            return Depth(trouble=f"{type(error).__name__}: {error}")
        return Depth(size.ready, size.delayed, size.unacked, dead)
