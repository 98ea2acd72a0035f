"""When a worker process that died is started again."""

from __future__ import annotations

_FIRST = 0.1
_HEALTHY = 10.0
_LOOP = 5
_PAUSE = 60.0


class RestartPolicy:
    """Waits that double from 0.1 s, and a minute after five early deaths in a row.

    A process that lived for 10 s clears the account. In a crash loop each further early death costs a minute,
    so that it is tried for ever, but slowly.

    Example:
        >>> policy = RestartPolicy()
        >>> [policy.died(lived=0.5) for _ in range(6)]
        [0.1, 0.2, 0.4, 0.8, 60.0, 60.0]
        >>> policy.died(lived=11.0)
        0.1
    """

    def __init__(self) -> None:
        self._early = 0

    @property
    def looping(self) -> bool:
        """Whether it is in a crash loop."""
        return self._early >= _LOOP

    def died(self, lived: float) -> float:
        """Take note of a death after `lived` seconds; return the seconds to wait before the next start."""
        if lived >= _HEALTHY:
            self._early = 0
            return _FIRST
        self._early += 1
        if self.looping:
            return _PAUSE
        return float(_FIRST * 2.0 ** (self._early - 1))
