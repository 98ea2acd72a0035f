"""The waits of one store, each with an event of its own, and an end when the store closes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fsdf_core.green.native import threading
from fsdf_core.watch import Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Waiter:
    """One wait.

    Attributes:
        event: set when the wait is over.
        woken: it is over because of a notification, not because the store was closed.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.woken = False

    def end(self, *, woken: bool) -> None:
        """End the wait."""
        self.woken = woken
        self.event.set()


class Waiters:
    """All waits, by channel. Thread-safe.

    Args:
        attached: called with channels that a watch is to hear.

    Attributes:
        watches: those that hear more than one notification.
    """

    def __init__(self, attached: Callable[[Sequence[str]], None] | None = None) -> None:
        self.watches = Watches(attached, threads=threading)
        self._lock = threading.Lock()
        self._waiting: dict[bytes, set[Waiter]] = {}

    @contextmanager
    def on(self, channel: bytes) -> Iterator[Waiter]:
        """Hear the channel's notifications within the block."""
        waiter = Waiter()
        with self._lock:
            self._waiting.setdefault(channel, set()).add(waiter)
        try:
            yield waiter
        finally:
            with self._lock:
                others = self._waiting[channel]
                others.discard(waiter)
                if not others:
                    del self._waiting[channel]

    def wake(self, channel: bytes) -> None:
        """End the waits on a channel."""
        with self._lock:
            for waiter in self._waiting.get(channel, ()):
                waiter.end(woken=True)
        self.watches.wake(channel.decode())

    def wake_all(self) -> None:
        """End all waits, because a notification may have been missed."""
        self._end_all(woken=True)
        self.watches.wake_all()

    def end(self) -> None:
        """End all waits: the store closes."""
        self._end_all(woken=False)
        self.watches.end()

    def _end_all(self, *, woken: bool) -> None:
        with self._lock:
            for waiters in self._waiting.values():
                for waiter in waiters:
                    waiter.end(woken=woken)
