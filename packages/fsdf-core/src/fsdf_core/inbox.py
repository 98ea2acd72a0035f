"""Many threads put, one thread takes everything there is."""

from __future__ import annotations

import queue
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """A queue for batches: half the cost of `queue.SimpleQueue` for each item, because only a sleeper is woken.

    Attributes:
        asleep: whether the taker waits, or is about to; whoever finds it so after adding an item calls `wake`.
        items: what was put. Hot paths append to it themselves, and then look at `asleep`.
    """

    def __init__(self) -> None:
        self.asleep = False
        self.items: deque[T] = deque()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()

    def put(self, item: T) -> None:
        """Add an item."""
        self.items.append(item)
        if self.asleep:
            self.wake()

    def wake(self) -> None:
        """End the wait of the taker; one call too many makes it look once in vain."""
        self.asleep = False  # at once: it takes a moment to wake, in which others put too
        self._bell.put(None)

    def take(self, timeout: float) -> list[T]:
        """Return all items, in order; wait for the first one.

        Args:
            timeout: most seconds to wait; then the list is empty.
        """
        items = self.items
        if not items:
            self.asleep = True
            try:
                # Not before the flag: an item put in between would wake nobody.
                if not items:
                    self._bell.get(timeout=timeout)
            except queue.Empty:
                pass
            finally:
                self.asleep = False
        take = items.popleft
        return [take() for _ in range(len(items))]
