"""At most so many starts in a second, minute, hour or day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fsdf_control.quota_local import FixedQuota, SlidingQuota
from fsdf_control.quota_period import Period
from fsdf_control.quota_shared import SharedQuota
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import Control

if TYPE_CHECKING:
    import datetime
    import logging

    from fsdf_core.clock import Clock
    from fsdf_core.host import Host
    from fsdf_core.state import StateStore


class Quota(Control):
    """Starts at most `limit` tasks in a period; when they are used up, nothing is pulled until there are more.

    A retry in the worker is no new start. Starts are not spread over the period: add a `RateLimit` for that.

    With a store, all consumers of the queue share the quota. They reserve in chunks of at most a twentieth of the
    limit, and give back what they did not use; what a consumer held that died is lost until the period is over. While
    the store is away, nothing starts beyond what is reserved.

    Args:
        limit: starts in a period, at least 1.
        period: "s", "m" (default), "h", "d", or seconds.
        mode: "fixed": periods begin as on a wall clock; "sliding": any window of that length. Shared, a sliding window
            is up to a fiftieth longer.
        store: shares the quota; None (default): each consumer has its own.
        clock: wall time; None (default): the consumer's clock.
        timezone: whose midnight begins a day; None (default): the machine's.

    Raises:
        ValueError: limit, period or mode is none of these.

    Example:
        >>> quota = Quota(2, period=10, mode="sliding")
        >>> quota.credit(now=0.0)
        2
        >>> quota.spend(2, now=0.0)
        >>> quota.credit(now=4.0), quota.next_credit(now=4.0), quota.credit(now=10.0)
        (0, 6.0, 2)
    """

    def __init__(
        self,
        limit: int,
        period: str | float = "m",
        mode: Literal["fixed", "sliding"] = "fixed",
        store: StateStore | None = None,
        clock: Clock | None = None,
        timezone: datetime.tzinfo | None = None,
    ) -> None:
        if limit < 1:
            raise ValueError(f"a quota's limit must be at least 1, it is {limit}")
        if mode not in {"fixed", "sliding"}:
            raise ValueError(f"a quota's mode is 'fixed' or 'sliding', not {mode!r}")
        self._limit = limit
        self._period = Period(period, timezone)
        self._mode = mode
        self._store = store
        self._clock = clock
        self._logger: logging.Logger | None = None
        self._quota: FixedQuota | SlidingQuota | SharedQuota = (
            SlidingQuota(limit, self._period.seconds)
            if mode == "sliding"
            else FixedQuota(limit, self._period, clock or SYSTEM_CLOCK)
        )

    def start(self, host: Host) -> None:
        """Take the consumer's clock; a quota of its own goes on where it was at the last stop."""
        clock = self._clock or host.clock
        self._logger = host.logger
        if self._store is not None:
            key = f"fsdf:quota:{host.queue.name}:{self._mode}:{self._period.seconds:g}"
            self._quota = SharedQuota(
                self._limit, self._period, self._store, key, clock, host.logger, sliding=self._mode == "sliding"
            )
        elif isinstance(self._quota, FixedQuota):
            self._quota.clock = clock

    def stop(self) -> None:
        """Give back what was reserved and not used."""
        if isinstance(self._quota, SharedQuota):
            try:
                self._quota.close()
            except Exception as error:  # noqa: BLE001 - stop must not raise
                if self._logger is not None:
                    self._logger.warning("the unused rest of the shared quota is lost for this period: %s", error)

    def credit(self, now: float) -> int:
        """How many starts are left."""
        return self._quota.left(now)

    def next_credit(self, now: float) -> float:
        """Seconds until there may be more."""
        return self._quota.wait(now)

    def spend(self, count: int, now: float) -> None:
        """Count starts."""
        self._quota.spend(count, now)
