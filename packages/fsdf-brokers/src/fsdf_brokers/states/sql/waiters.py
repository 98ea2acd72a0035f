"""The waits of one store, each with an event of its own, and an end when the store closes."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    """All waits, by channel. Thread-safe."""

    def __init__(self) -> None:
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

    def end_all(self, *, woken: bool) -> None:
        """End all waits: woken where a notification may have been missed, not woken where the store closes."""
        with self._lock:
            for waiters in self._waiting.values():
                for waiter in waiters:
                    waiter.end(woken=woken)
