"""The bound of a queue: producers wait here until there is room."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from fsdf_pools.errors import PoolFullError

if TYPE_CHECKING:
    from collections import deque

    from fsdf_pools.call import Item

# A wait without a limit is cut into pieces: on Windows, Ctrl-C is seen between two waits only.
_PIECE = 1.0


class Room:
    """Keeps a deque within a size. Takers touch the lock only while a producer waits.

    Args:
        items: The deque to guard.
        size: The most items that `put` lets in.
    """

    def __init__(self, items: deque[Item], size: int) -> None:
        self._items = items
        self._size = size
        self.reset()

    def reset(self) -> None:
        """Forget who waits; for a forked child, in which the waiting threads do not exist."""
        self._changed = threading.Condition()
        self._waiting = 0
        self._closed = False

    def put(self, item: Item, timeout: float | None) -> bool:
        """Append the item as soon as there is room.

        Args:
            item: What to append.
            timeout: Seconds to wait at most, None for no limit.

        Returns:
            False if the room was closed before there was place.

        Raises:
            PoolFullError: There was no room in time.
        """
        with self._changed:
            if len(self._items) >= self._size and not self._closed:
                self._wait(timeout)
            if self._closed:
                return False
            self._items.append(item)
            return True

    def _wait(self, timeout: float | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        self._waiting += 1
        try:
            while len(self._items) >= self._size and not self._closed:
                left = _PIECE if deadline is None else min(_PIECE, deadline - time.monotonic())
                if left <= 0:
                    msg = f"no room in the pool's queue of {self._size} within {timeout} s"
                    raise PoolFullError(msg)
                self._changed.wait(left)
        finally:
            self._waiting -= 1

    def take(self) -> Item:
        """Take the oldest item and tell one waiting producer.

        Returns:
            The item.

        Raises:
            IndexError: There is none.
        """
        item = self._items.popleft()
        if self._waiting:
            with self._changed:
                self._changed.notify()
        return item

    def close(self) -> None:
        """End every wait; `put` returns False from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
