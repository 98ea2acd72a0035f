"""How many worker processes a queue needs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_LOOK = 0.5


class ScalePolicy:
    """One process more when messages have waited for a while; one less when it was not needed for longer.

    A process is not needed while nothing waits and what runs would fit into the others.

    Args:
        least: fewest processes.
        most: most processes.
        up_after: seconds of waiting messages before each step up.
        idle_time: seconds before each step down.

    Example:
        >>> policy = ScalePolicy(1, 3, up_after=2, idle_time=30)
        >>> [policy.decide(now, 1, ready=9, in_flight=4, workers=4) for now in (0, 1, 2)]
        [1, 1, 2]
        >>> [policy.decide(now, 2, ready=0, in_flight=4, workers=8) for now in (3, 32, 33)]
        [2, 2, 1]
    """

    def __init__(self, least: int, most: int, *, up_after: float, idle_time: float) -> None:
        self.least, self.most = least, most
        self._up_after = up_after
        self._idle_time = idle_time
        self._waiting: float | None = None
        self._idle: float | None = None

    def one_less(self) -> None:
        """Have one process less at most from now on: somebody has told one to end."""
        self.most = max(0, self.most - 1)
        self.least = min(self.least, self.most)

    def decide(self, now: float, current: int, *, ready: int, in_flight: int, workers: int) -> int:
        """Return the number of processes to have.

        Args:
            now: monotonic seconds.
            current: processes that there are.
            ready: messages that wait.
            in_flight: messages that they hold.
            workers: calls that they can run at once, together.
        """
        fits = in_flight * current <= workers * (current - 1)
        self._waiting = None if not ready else now if self._waiting is None else self._waiting
        self._idle = None if ready or not fits else now if self._idle is None else self._idle
        if self._waiting is not None and now - self._waiting >= self._up_after and current < self.most:
            self._waiting = now
            return current + 1
        if self._idle is not None and now - self._idle >= self._idle_time and current > self.least:
            self._idle = now
            return current - 1
        return current


class Autoscaler:
    """Owns the thread `fsdf-autoscale-<name>`, which asks the broker, so that the supervisor never waits for it.

    Args:
        policy: decides.
        ready: tells how many messages wait.
        load: tells (processes, messages they hold, calls they can run at once).
        scale: sets the number of processes.
        logger: where it says that the broker cannot be asked.
        name: the supervisor's name.
    """

    def __init__(
        self,
        policy: ScalePolicy,
        *,
        ready: Callable[[], int],
        load: Callable[[], tuple[int, int, int]],
        scale: Callable[[int], None],
        logger: logging.Logger,
        name: str,
    ) -> None:
        self._policy = policy
        self._ready = ready
        self._load = load
        self._scale = scale
        self._logger = logger
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fsdf-autoscale-{name}", daemon=True)
        self.start = self._thread.start
        self.close = self._ended.set
        self.one_less = policy.one_less

    def _run(self) -> None:
        trouble = ""
        while not self._ended.wait(_LOOK):
            try:
                ready = self._ready()
            except Exception as error:  # noqa: BLE001 - whatever the broker's client raises
                if trouble != (trouble := f"{type(error).__name__}: {error}"):
                    self._logger.warning("autoscaling waits, the queue's length cannot be had: %s", trouble)
                continue
            trouble = ""
            current, in_flight, workers = self._load()
            wanted = self._policy.decide(time.monotonic(), current, ready=ready, in_flight=in_flight, workers=workers)
            if wanted != current and not self._ended.is_set():
                self._scale(wanted)
