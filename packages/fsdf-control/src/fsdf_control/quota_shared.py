"""Quotas that the consumers of a queue share by counters in a store."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from fsdf_core.errors import StateError

if TYPE_CHECKING:
    import logging

    from fsdf_control.quota_period import Period
    from fsdf_core.clock import Clock
    from fsdf_core.state import StateStore

_PARTS = 50
"""Parts that a sliding window is counted in; it is up to one part longer than asked for."""

_SMALLEST_SHARE = 20
"""A reservation is at most this part of the limit."""

_LOOK_AGAIN = 0.25
"""Seconds between two looks at a quota that is used up, or at a store that is away."""


class SharedQuota:
    """Reserves starts in small chunks: adds to the counter first, then gives back what is over the limit.

    So of several that reserve at the same time none overlooks the other. A reservation counts for one part of
    the time only; what is unused when the part is over is given back. A sliding window is the sum of the current
    part and the 50 before it.

    Args:
        limit: starts of all consumers together.
        period: fixed mode: the periods; sliding mode: the window's length.
        store: where the counters are.
        key: what they are called.
        clock: the wall clock, which numbers the parts; hosts whose clocks differ by some seconds begin their
            periods so much apart.
        logger: where a store that is away is logged.
        sliding: count any window of that length.
    """

    def __init__(
        self,
        limit: int,
        period: Period,
        store: StateStore,
        key: str,
        clock: Clock,
        logger: logging.Logger,
        *,
        sliding: bool,
    ) -> None:
        self._limit = limit
        self._period = period
        self._store = store
        self._absence: tuple[type[BaseException], ...] = (*store.retryable_errors, StateError)
        self._key = key
        self._clock = clock
        self._logger = logger
        self._earlier = _PARTS if sliding else 0
        self._width = period.seconds / _PARTS if sliding else period.seconds
        self._lock = threading.Lock()
        self._part = self._index()
        self._tokens = 0
        self._chunk = 1
        self._look_at = -math.inf
        self._away = False

    def left(self, now: float) -> int:
        """How many tasks may start; reserves more when there are none left, which is I/O."""
        with self._lock:
            self._turn()
            if self._tokens <= 0 and now >= self._look_at:
                self._guarded_reserve(now)
            return max(0, self._tokens)

    def wait(self, now: float) -> float:
        """Seconds until it is worth asking again."""
        return max(0.0, self._look_at - now)

    def spend(self, count: int, now: float) -> None:  # noqa: ARG002 - the wall clock decides
        """Use reserved starts; if their part has just ended, they are owed to the next one."""
        with self._lock:
            self._turn()
            self._tokens -= count

    def close(self) -> None:
        """Give back what is unused.

        Raises:
            StateError: the store is away; the rest is lost for this period.
        """
        with self._lock:
            self._give_back()

    def _index(self) -> int:
        time = self._clock.time()
        return math.floor(time / self._width) if self._earlier else self._period.index(time)

    def _turn(self) -> None:
        part = self._index()
        if part == self._part:
            return
        try:
            if self._earlier:
                self._give_back()
        except self._absence as error:
            self._complain(error)
        self._part = part
        self._tokens = min(0, self._tokens)
        self._look_at = -math.inf

    def _give_back(self) -> None:
        unused, self._tokens = max(0, self._tokens), min(0, self._tokens)
        if unused:
            self._store.increment(self._name(self._part), -unused, self._ttl())

    def _guarded_reserve(self, now: float) -> None:
        self._look_at = now + _LOOK_AGAIN
        try:
            self._reserve(now)
        except self._absence as error:
            self._complain(error)
        else:
            self._away = False

    def _reserve(self, now: float) -> None:
        wanted = self._chunk - self._tokens
        used = self._store.increment(self._name(self._part), wanted, self._ttl()) - wanted
        if self._earlier:
            before = self._store.get([self._name(self._part - back) for back in range(1, self._earlier + 1)])
            used += sum(int(count) for count in before if count is not None)
        granted = max(0, min(wanted, self._limit - used))
        if granted < wanted:
            self._store.increment(self._name(self._part), granted - wanted, self._ttl())
        self._tokens += granted
        if granted:
            self._look_at = now
            self._chunk = min(self._chunk * 2, max(1, self._limit // _SMALLEST_SHARE))
        else:
            self._chunk = 1

    def _complain(self, error: BaseException) -> None:
        if not self._away:
            self._away = True
            self._logger.warning("the shared quota cannot be looked up, nothing starts until it can: %s", error)

    def _name(self, part: int) -> str:
        return f"{self._key}:{part}"

    def _ttl(self) -> float:
        return (self._earlier + 2) * self._width
