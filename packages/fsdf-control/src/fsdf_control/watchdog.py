"""The thread that ends calls at their time."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_control.interruption import Interruption, Terms

_LONGEST = 3600.0
"""Seconds that the thread sleeps at most; longer timeouts overflow on some systems."""

_PATIENCE = 2.0
"""Seconds that a stop waits for the thread."""


class Watchdog:
    """Owns the thread `fsdf-watchdog-<queue>`, which starts with the first deadline and ends with `stop`.

    It keeps the running calls as a set and looks through it when the earliest deadline has come, about once per
    timeout: cheaper for each call than a heap, from which calls that end in time would have to be taken, and no
    larger than the pool.

    Args:
        terms: what the interruptions have in common.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._running: set[Interruption] = set()
        self._wakes_at = math.inf
        self._rung = threading.Event()
        self._stopped = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.forget = self._running.discard
        """Called with each call that has ended."""

    def watch(self, call: Interruption) -> None:
        """Take care of a call from now on."""
        self._running.add(call)
        if call.due < self._wakes_at:
            self._rouse()

    def running(self) -> list[Interruption]:
        """Return the calls that run."""
        return list(self._running)

    def interrupt(self, call: Interruption) -> None:
        """Let a call end now."""
        call.due = min(call.due, time.monotonic())
        self._rouse()

    def stop(self) -> None:
        """End the thread; calls that still run are left alone."""
        with self._lock:
            self._stopped = True
            thread = self._thread
        self._rung.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE)

    def _rouse(self) -> None:
        self._rung.set()
        if self._thread is None:
            self._begin()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopped:
                name = f"fsdf-watchdog-{self.terms.host.queue.name}"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while not self._stopped:
            self._rung.clear()
            # A call that is added while the others are looked at compares with the old time: hence the second look.
            while True:
                self._press_due()
                self._wakes_at = soonest = self._soonest()
                if self._soonest() >= soonest:
                    break
            self._rung.wait(min(_LONGEST, max(0.0, soonest - time.monotonic())))

    def _soonest(self) -> float:
        return min((call.due for call in list(self._running)), default=math.inf)

    def _press_due(self) -> None:
        now = time.monotonic()
        for call in list(self._running):
            if call.due <= now:
                try:
                    call.due = call.press(now)
                except Exception:
                    call.due = math.inf
                    self.terms.host.logger.exception("task %s cannot be ended", call.message.task_id)
