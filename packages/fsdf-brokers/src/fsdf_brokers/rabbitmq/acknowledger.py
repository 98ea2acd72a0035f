"""Acknowledges in as few frames as the order in which tasks end allows. Used by the link's thread only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsdf_brokers.rabbitmq.link import Link

_FEW = 8
"""Acknowledgements that are not worth waiting for their forerunners."""

_LATEST = 0.05
"""Seconds after which an acknowledgement no longer waits for its forerunners."""


class Acknowledger:
    """What is unacknowledged on one link.

    One frame acknowledges everything up to a tag, so everything below the lowest open one costs a single frame.
    """

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._lowest = 1
        self._highest = 0
        self._waiting_since = 0.0

    def opened(self, tags: Iterable[int]) -> None:
        """Note deliveries."""
        self._open.update(tags)
        self._highest = max(self._open, default=self._highest)

    def ack(self, link: Link, tags: Iterable[int]) -> None:
        """Acknowledge, now or soon; `turn` does the rest."""
        self._ended.update(self._open.intersection(tags))
        self._advance(link)
        if not self._ended:
            return
        if len(self._ended) <= _FEW:
            self._one_by_one(link)
        elif not self._waiting_since:
            self._waiting_since = time.monotonic()

    def give_back(self, link: Link, tags: Iterable[int]) -> None:
        """Return messages to the queue."""
        for tag in sorted(self._open.intersection(tags) - self._ended):
            link.give_back(tag, multiple=False)
            self._open.discard(tag)

    def give_back_all(self, link: Link) -> None:
        """Return everything that is open to the queue."""
        self._one_by_one(link)
        if self._open:
            link.give_back(0, multiple=True)
            self._open.clear()

    def turn(self, link: Link) -> float:
        """Acknowledge what has waited for long enough; return the seconds until the next turn is needed."""
        if not self._ended:
            return _LATEST * 10
        waited = time.monotonic() - self._waiting_since
        if waited >= _LATEST:
            self._one_by_one(link)
            return _LATEST * 10
        return _LATEST - waited

    def _advance(self, link: Link) -> None:
        lowest, reached = self._lowest, 0
        while lowest <= self._highest:
            if lowest in self._ended:
                self._ended.discard(lowest)
                self._open.discard(lowest)
                reached = lowest
            elif lowest in self._open:
                break
            lowest += 1
        self._lowest = lowest
        if reached:
            link.ack(reached, multiple=True)
        if not self._ended:
            self._waiting_since = 0.0

    def _one_by_one(self, link: Link) -> None:
        for tag in sorted(self._ended):
            link.ack(tag, multiple=False)
        self._open -= self._ended
        self._ended.clear()
        self._waiting_since = 0.0
