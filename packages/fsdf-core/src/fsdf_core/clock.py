"""Time as an object, so that policies are tested without waiting."""

import time as _time
from typing import Protocol


class Clock(Protocol):
    """What tells the time to controls, brokers and consumers."""

    def time(self) -> float:
        """Seconds since the epoch; comparable across processes."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back; comparable within one process."""
        ...


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        """`time.time()`."""
        return _time.time()

    def monotonic(self) -> float:
        """`time.monotonic()`."""
        return _time.monotonic()


SYSTEM_CLOCK = SystemClock()
