"""What one consumer holds of a memory queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.broker import GONE, Subscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.broker import Delivery
    from fsdf_core.brokers.memory.queue import MemoryQueue


class MemorySubscription(Subscription):
    """One consumer's hold on a queue.

    Args:
        queue: where messages come from.
    """

    def __init__(self, queue: MemoryQueue) -> None:
        self._queue = queue
        self._closed = False
        self.held: set[Delivery] = set()
        self.interrupted = False

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Take messages."""
        return self._queue.take(self, limit, timeout)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Forget the messages."""
        self.held.difference_update(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Append the messages anew."""
        self._queue.put_back(self._give_up(deliveries), delay)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put the messages back in front, uncounted."""
        self._queue.undo(self._give_up(deliveries), started=False)

    def interrupt(self) -> None:
        """Wake a waiting `receive`."""
        self._queue.interrupt(self)

    def close(self) -> None:
        """Put back in front what was neither acknowledged nor has succeeded."""
        if not self._closed:
            self._closed = True
            left = [delivery for delivery in self.held if delivery.body is not GONE]
            self._queue.undo(self._give_up(left), started=True)
            self._queue.forget(self)

    def _give_up(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        mine = [delivery for delivery in deliveries if delivery in self.held]
        self.held.difference_update(mine)
        return mine
