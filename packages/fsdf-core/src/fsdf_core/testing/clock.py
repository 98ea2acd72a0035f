"""A clock that a test moves."""


class ManualClock:
    """Stands still until `advance`.

    Args:
        start: seconds since the epoch; default 1 000 000 000.
    """

    def __init__(self, start: float = 1_000_000_000.0) -> None:
        self._now = start

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """The same seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._now += seconds
