"""At most so many starts a second in all consumers of a queue together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_control.rate_limit import RateLimit, checked_qps
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.presence import Presence

if TYPE_CHECKING:
    from fsdf_core.clock import Clock
    from fsdf_core.host import Host
    from fsdf_core.state import StateStore

_WORTH_A_PLACE = 0.05
"""Seconds between two starts of one consumer from which it keeps to its place between the others'."""


class SharedRateLimit(RateLimit):
    """A `RateLimit` whose rate is divided by the number of living consumers of the queue.

    A consumer that joins, leaves or dies is noticed within 3 s. While the store is away, the last known number
    counts. Each consumer is given an equal part, whether it has work for it or not.

    Where a consumer starts less than 20 tasks a second, it does so at its own place between the others' starts,
    by its rank among their names and the wall clock. On hosts whose clocks differ, the places shift; the rate
    does not.

    Args:
        qps: starts a second of all consumers together, above 0.
        store: where they find each other.
        clock: wall time for the places; None (default): the consumer's clock.

    Raises:
        ValueError: `qps` is not above 0.
        StateError: at start, if the store cannot be reached.

    Example:
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> limit = SharedRateLimit(30, MemoryStateStore())
        >>> limit.qps, limit.members
        (30, 1)
    """

    def __init__(self, qps: float, store: StateStore, clock: Clock | None = None) -> None:
        super().__init__(qps)
        self._total = qps
        self._store = store
        self._given_clock = clock
        self._clock: Clock = clock or SYSTEM_CLOCK
        self._presence: Presence | None = None
        self._place = (1, 0)

    @property
    def qps(self) -> float:
        """Starts a second of all consumers together; to be changed in each of them, by any thread."""
        return self._total

    @qps.setter
    def qps(self, value: float) -> None:
        self._total = checked_qps(value)
        self._divide()

    @property
    def members(self) -> int:
        """How many consumers share the rate, as far as this one knows."""
        return self._place[0]

    def start(self, host: Host) -> None:
        """Join the queue's consumers."""
        self._clock = self._given_clock or host.clock
        presence = Presence(self._store, host.queue.name, host.consumer_id, clock=self._clock)
        presence.join(self._clock.monotonic())
        self._presence = presence
        self._count(presence)
        super().start(host)

    def stop(self) -> None:
        """Leave; if the store is away, the others notice a little later."""
        host, presence = self._host, self._presence
        super().stop()
        self._presence = None
        if presence is not None:
            try:
                presence.leave()
            except Exception as error:  # noqa: BLE001 - stop must not raise
                if host is not None:
                    host.logger.warning("cannot sign off from the shared rate limit: %s", error)

    def tick(self, now: float) -> None:
        """Beat, and count the others."""
        presence = self._presence
        if presence is not None:
            presence.tick(now)
            self._count(presence)

    def _count(self, presence: Presence) -> None:
        # Whoever may be alive is counted: for a moment too few starts, rather than too many.
        names = sorted({*presence.living(), *presence.unproven()})
        place = (len(names), names.index(presence.member_id))
        if place != self._place:
            self._place = place
            self._divide()

    def _divide(self) -> None:
        self._stale = True
        self._change(self._total / self._place[0])

    def _resume(self, planned: float, now: float) -> float:
        """Return the consumer's next place, if there are others and the distances are long enough."""
        members, rank = self._place
        distance = 1 / self._qps
        if members == 1 or distance < _WORTH_A_PLACE:
            return super()._resume(planned, now)
        return now + (rank * distance / members - self._clock.time()) % distance
