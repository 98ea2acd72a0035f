"""Waiting longer and longer between attempts."""

from __future__ import annotations

import random


class Backoff:
    """Doubling waits with jitter: each is between half and all of `first * 2**n`, at most `cap` seconds.

    The jitter keeps a fleet from coming back in step ("equal jitter", AWS Architecture Blog, 2015).
    """

    def __init__(self, first: float = 0.05, cap: float = 5.0) -> None:
        self._first = first
        self._cap = cap
        self._attempts = 0

    def next(self) -> float:
        """Return the seconds to wait before the next attempt."""
        ceiling = min(self._cap, self._first * 2.0 ** min(self._attempts, 30))
        self._attempts += 1
        return ceiling * (0.5 + random.random() / 2)  # noqa: S311 - no secret

    def reset(self) -> None:
        """Start anew after a success."""
        self._attempts = 0
