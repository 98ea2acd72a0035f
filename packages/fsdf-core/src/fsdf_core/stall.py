"""When nothing has finished for a while."""

from __future__ import annotations


class Stall:
    """Looks at a number that grows as long as there is progress.

    Args:
        now: monotonic time in seconds.
        after: seconds without progress.
    """

    def __init__(self, now: float, after: float) -> None:
        self._after = after
        self._progressed = now
        self._seen = 0

    def reached(self, now: float, finished: int) -> bool:
        """Whether the number has not grown for so long."""
        if finished != self._seen:
            self._seen = finished
            self._progressed = now
        return now - self._progressed >= self._after
