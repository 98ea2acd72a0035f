"""How many messages to claim at once: many small ones, few big ones."""

from __future__ import annotations

_MOST = 4000
_MOST_BYTES = 16 * 2**20
_FIRST_SIZE = 16 * 2**10
"""Bytes that a message is taken to have before the first one was seen."""


class BatchLimit:
    """Keeps a batch at about 16 MB, by the sizes of the last batch. Used by one thread."""

    def __init__(self) -> None:
        self._size = _FIRST_SIZE

    def of(self, limit: int) -> int:
        """Return how many messages to claim, at least one."""
        return max(1, min(limit, _MOST, _MOST_BYTES // self._size))

    def saw(self, bodies: list[bytes]) -> None:
        """Remember the sizes of a batch."""
        self._size = 1 + sum(map(len, bodies)) // len(bodies)
