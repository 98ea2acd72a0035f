"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Backoff = Callable[[int], float]
"""Takes the number of the attempt that failed, from 1; returns seconds."""


@dataclass(frozen=True)
class Constant:
    """The same wait each time.

    Attributes:
        seconds: the wait; at least 0.

    Raises:
        ValueError: `seconds` is negative or no number.

    Example:
        >>> Constant(5)(attempt=3)
        5
    """

    seconds: float

    def __post_init__(self) -> None:
        if not self.seconds >= 0:
            raise ValueError(f"a wait must be at least 0 s, not {self.seconds}")

    def __call__(self, attempt: int) -> float:  # noqa: ARG002 - as every backoff
        """Seconds after the attempt."""
        return self.seconds


@dataclass(frozen=True)
class Exponential:
    """Waits that grow: `first`, `first * multiplier`, `first * multiplier**2`, …, never more than `cap`.

    With jitter each wait is multiplied by a random number from [0.5, 1.5), as in funboost, so that tasks which
    failed together do not come back together; the cap holds for the product too.

    Attributes:
        first: seconds after the first attempt; default 1.
        multiplier: growth from one wait to the next, at least 1; default 2.
        cap: longest wait in seconds; default 60.
        jitter: default False.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> [Exponential(1, cap=5)(attempt) for attempt in (1, 2, 3, 4)]
        [1.0, 2.0, 4.0, 5.0]
    """

    first: float = 1.0
    multiplier: float = 2.0
    cap: float = 60.0
    jitter: bool = False

    def __post_init__(self) -> None:
        if not (self.first >= 0 and self.multiplier >= 1 and self.cap >= 0):
            raise ValueError(
                f"a backoff needs first >= 0, multiplier >= 1 and cap >= 0, "
                f"not {self.first}, {self.multiplier} and {self.cap}"
            )

    def __call__(self, attempt: int) -> float:
        """Seconds after the attempt."""
        try:
            wait = self.first * float(self.multiplier) ** (attempt - 1)
        except OverflowError:
            wait = self.cap if self.first else 0.0
        if self.jitter:
            wait *= 0.5 + random.random()  # noqa: S311 - no secret
        return float(min(wait, self.cap))
