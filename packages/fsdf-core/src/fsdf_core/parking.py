"""Delay on brokers that have none: messages wait in the consumer, unacknowledged, until they are requeued.

A crash gives them back to the queue at once, so nothing is lost; they only run early.
"""

from __future__ import annotations

import heapq
import itertools
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsdf_core.message import Message


class Parking:
    """A heap of messages by due time; used by one thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Message]] = []
        self._sequence = itertools.count()

    def park(self, messages: Iterable[Message], delay: float) -> None:
        """Keep messages for `delay` seconds."""
        due = time.monotonic() + delay
        for message in messages:
            heapq.heappush(self._heap, (due, next(self._sequence), message))

    def due(self) -> list[Message]:
        """Take out the messages whose time has come."""
        now = time.monotonic()
        ripe = []
        while self._heap and self._heap[0][0] <= now:
            ripe.append(heapq.heappop(self._heap)[2])
        return ripe

    def clear(self) -> list[Message]:
        """Take out all messages, in the order of their times."""
        messages = [message for *_, message in sorted(self._heap)]
        self._heap.clear()
        return messages

    def wait(self, most: float) -> float:
        """Seconds until the next message is due, at most `most`."""
        if not self._heap:
            return most
        return min(most, max(0.0, self._heap[0][0] - time.monotonic()))
