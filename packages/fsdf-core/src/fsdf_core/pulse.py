"""One look at a running consumer."""

from __future__ import annotations

from typing import NamedTuple


class Pulse(NamedTuple):
    """What tells a living consumer from a stuck one.

    Attributes:
        in_flight: messages taken from the broker and not yet finished.
        finished: messages finished since the start.
        workers: calls that may run at once.
        turns: of the dispatcher and of the settler: each grows at least about once a second, or as often as the
            broker's client returns, unless the thread is stuck.
        threads_alive: both threads run, or the consumer is stopping.
    """

    in_flight: int
    finished: int
    workers: int
    turns: tuple[int, int]
    threads_alive: bool
