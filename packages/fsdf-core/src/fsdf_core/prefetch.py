"""How many messages a consumer holds beyond those it can run at once."""

from __future__ import annotations

from collections import deque

CEILING = 20_000
"""Most messages fetched ahead."""

_SAMPLE = 0.01
"""Seconds between two looks at what has finished."""

_WINDOW = 0.2
"""Seconds over which the rate is measured: messages finish in bursts."""


class Prefetch:
    """Fetches ahead as much as the consumer finishes within the horizon, measured while it runs.

    A no-op function at 100 000 tasks a second needs thousands of messages at hand to hide the broker's round
    trip; a function that takes seconds needs none, and hoarding would starve other consumers.

    Args:
        now: monotonic time in seconds.
        horizon: seconds of work to hold: the broker's `prefetch_seconds`.
    """

    def __init__(self, now: float, horizon: float) -> None:
        self._horizon = horizon
        self._looks = deque([(now, 0)])
        self._ahead = 0

    def ahead(self, now: float, finished: int) -> int:
        """Return the messages to hold beyond the pool's size.

        Args:
            now: monotonic time in seconds.
            finished: how many messages the consumer has finished since it started.
        """
        looks = self._looks
        if now - looks[-1][0] >= _SAMPLE:
            looks.append((now, finished))
            while now - looks[1][0] >= _WINDOW:
                looks.popleft()
            since, before = looks[0]
            self._ahead = min(CEILING, int((finished - before) / (now - since) * self._horizon))
        return self._ahead
