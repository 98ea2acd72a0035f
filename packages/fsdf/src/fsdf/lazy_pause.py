"""Pausing for every task, at no cost for those who never pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_control import Pause
from fsdf_core.control import UNLIMITED, Control

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.host import Host
    from fsdf_core.state import StateStore


class LazyPause(Control):
    """A `Pause` that begins when there is a state store: before that nobody can have paused anything.

    Args:
        find: returns the store, or None while there is none.
    """

    def __init__(self, find: Callable[[], StateStore | None]) -> None:
        self._find = find
        self._host: Host | None = None
        self._pause: Pause | None = None

    def start(self, host: Host) -> None:
        """Look once before anything is pulled."""
        self._host = host
        self._begin()

    def stop(self) -> None:
        """Look no more."""
        if self._pause is not None:
            self._pause.stop()
        self._pause = self._host = None

    def tick(self, now: float) -> None:
        """Look whether there is a store, and whether it says anything new."""
        if self._pause is not None:
            self._pause.tick(now)
        elif self._begin() and self._host is not None:
            self._host.wake()

    def credit(self, now: float) -> float:
        """Nothing while paused."""
        return UNLIMITED if self._pause is None else self._pause.credit(now)

    def next_credit(self, now: float) -> float:
        """Seconds until the next look."""
        return 1.0 if self._pause is None else self._pause.next_credit(now)

    def _begin(self) -> bool:
        store = self._find()
        if store is None or self._host is None:
            return False
        pause = Pause(store)
        pause.start(self._host)
        self._pause = pause
        return True
