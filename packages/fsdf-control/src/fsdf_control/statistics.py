"""What a consumer has done, how fast, and how long the rest will take."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fsdf_control.settled_rate import SettledRate
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import Control
from fsdf_core.message import ATTEMPTS, STAMPS
from fsdf_core.verdict import DeadLetter, Delay, Drop, Release, Requeue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsdf_core.clock import Clock
    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message

_SIZE_EVERY = 10.0
_STAMPS = len(STAMPS)

_QUICK = 0.001
"""Seconds; of functions that take less, one call in 250 is timed."""
_SAMPLED = 250
_MOST_REASONS = 50


@dataclass(frozen=True)
class StatisticsSnapshot:
    """Numbers since the consumer started.

    Attributes:
        succeeded: tasks whose function returned.
        failed: tasks that failed for good, without a dead letter.
        dead_letters: messages that went to the dead-letter queue.
        retries: runs after the first one of a delivery.
        requeued: messages put back on the queue.
        dropped: messages that did not run, by the reason up to its first colon.
        mean_seconds: of one run; of quick functions a sample; None before the first.
        per_second_10s: messages done a second, over the last 10 s.
        per_second_60s: over the last minute.
        ready: messages that wait in the queue, at most some 10 s old; None where the broker cannot tell.
        seconds_left: until the queue is empty at the last minute's rate; None if nobody knows.
    """

    succeeded: int
    failed: int
    dead_letters: int
    retries: int
    requeued: int
    dropped: Mapping[str, int]
    mean_seconds: float | None
    per_second_10s: float
    per_second_60s: float
    ready: int | None
    seconds_left: float | None

    @property
    def done(self) -> int:
        """Messages that left the queue for good."""
        return self.succeeded + self.failed + self.dead_letters + sum(self.dropped.values())

    def __str__(self) -> str:
        parts = [f"{self.succeeded} succeeded", f"{self.failed} failed", f"{self.retries} retries"]
        parts += [f"{self.requeued} requeued"] * bool(self.requeued)
        parts += [f"{self.dead_letters} dead letters"] * bool(self.dead_letters)
        parts += [f"{count} dropped ({reason})" for reason, count in sorted(self.dropped.items())]
        parts.append(f"{self.per_second_10s:.1f} a second in 10 s, {self.per_second_60s:.1f} in a minute")
        if self.mean_seconds is not None:
            parts.append(f"{self.mean_seconds:.3g} s a run")
        if self.ready is not None:
            parts.append(f"{self.ready} ready")
        if self.seconds_left is not None:
            parts.append(f"done in about {self.seconds_left:.0f} s")
        return ", ".join(parts)


class Statistics(Control):
    """Counts what leaves the consumer, batch by batch, and logs a line now and then.

    Args:
        log_every: seconds between two log lines; default 60. None is written if nothing has happened.
        clock: default the system's.

    Raises:
        ValueError: `log_every` is not above 0.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.outcome import Outcome
        >>> statistics = Statistics()
        >>> message = Message({}, {})
        >>> message.outcome = Outcome(True, 3, None, 1, None)
        >>> statistics.on_settle([message])
        >>> statistics.snapshot().succeeded
        1
    """

    wants_outcomes = False  # those of failures and of repeated runs are there anyway
    settle_options_only = True

    def __init__(self, log_every: float = 60.0, *, clock: Clock = SYSTEM_CLOCK) -> None:
        if not log_every > 0:
            raise ValueError(f"log_every must be above 0 seconds, not {log_every}")
        self._log_every = log_every
        self._clock = clock
        self._lock = threading.Lock()
        self._host: Host | None = None
        self._clear(clock.monotonic())

    def _clear(self, now: float) -> None:
        self._succeeded = self._failed = self._dead = self._retries = self._requeued = 0
        self._dropped: Counter[str] = Counter()
        self._runs: deque[tuple[float, int]] = deque()
        self._seconds = 0.0
        self._timed = 0
        self._sample_every = 1
        self._rate = SettledRate(now)
        self._ready: int | None = None
        self._sized_at = self._logged_at = now
        self._logged: tuple[object, ...] = ()

    def start(self, host: Host) -> None:
        """Begin to count from 0."""
        with self._lock:
            self._clear(self._clock.monotonic())
            self._host = host

    def around(self, call: Call) -> Call:
        """Time the call."""

        def timed(message: Message) -> Any:
            weight = self._sample_every if len(message.extra) <= _STAMPS and message.attempt == 1 else 1
            begun = perf_counter()
            try:
                return call(message)
            finally:
                self._runs.append((perf_counter() - begun, weight))

        return timed

    def around_every(self) -> int:
        """Time some of many quick calls only."""
        return self._sample_every

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """`around` for `async def` functions."""

        async def timed(message: Message) -> Any:
            begun = perf_counter()
            try:
                return await call(message)
            finally:
                self._runs.append((perf_counter() - begun, 1))

        return timed

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Count."""
        now = self._clock.monotonic()
        with self._lock:
            notable = [each for each in messages if each.outcome is not None or each.settlement is not None]
            done = plain = len(messages) - len(notable)
            self._succeeded += plain
            for message in notable:
                done += self._count(message)
            self._rate.add(done, now)
            self._add_runs()

    def on_successes(self, count: int) -> None:
        """Count."""
        now = self._clock.monotonic()
        with self._lock:
            self._succeeded += count
            self._rate.add(count, now)

    def tick(self, now: float) -> None:
        """Ask the queue's size every 10 s; log."""
        host = self._host
        if host is None:
            return
        if now - self._logged_at >= self._log_every:
            self._logged_at = now
            self._log(host)
        if now - self._sized_at >= _SIZE_EVERY and host.queue.broker.capabilities.size:
            self._sized_at = now
            self._ready = host.queue.size().ready

    def snapshot(self) -> StatisticsSnapshot:
        """Return the numbers up to now."""
        now = self._clock.monotonic()
        with self._lock:
            self._add_runs()
            minute = self._rate.per_second(60.0, now)
            return StatisticsSnapshot(
                succeeded=self._succeeded,
                failed=self._failed,
                dead_letters=self._dead,
                retries=self._retries,
                requeued=self._requeued,
                dropped=dict(self._dropped),
                mean_seconds=self._seconds / self._timed if self._timed else None,
                per_second_10s=self._rate.per_second(10.0, now),
                per_second_60s=minute,
                ready=self._ready,
                seconds_left=self._ready / minute if self._ready is not None and minute else None,
            )

    def _count(self, message: Message) -> bool:
        """Count one message; True if it left the queue for good."""
        outcome, settlement = message.outcome, message.settlement
        if outcome is not None and outcome.attempts > 1:
            self._retries += max(0, outcome.attempts - 1 - _runs_before(message))
        if settlement is None:
            if outcome is None or outcome.success:
                self._succeeded += 1
            else:
                self._failed += 1
            return True
        if isinstance(settlement, Requeue | Delay):
            self._requeued += 1
        elif isinstance(settlement, DeadLetter):
            self._dead += 1
        elif isinstance(settlement, Drop):
            reason = settlement.reason.partition(":")[0]
            known = reason in self._dropped or len(self._dropped) < _MOST_REASONS
            self._dropped[reason if known else "other reasons"] += 1
        return not isinstance(settlement, Requeue | Delay | Release)

    def _add_runs(self) -> None:
        runs = self._runs
        for _ in range(len(runs)):
            seconds, weight = runs.popleft()
            self._seconds += seconds * weight
            self._timed += weight
        if self._timed:
            self._sample_every = _SAMPLED if self._seconds < _QUICK * self._timed else 1

    def _log(self, host: Host) -> None:
        snapshot = self.snapshot()
        counts = (snapshot.done, snapshot.requeued, snapshot.retries)
        if any(counts) and counts != self._logged:
            self._logged = counts
            host.logger.info("%s: %s", host.queue.name, snapshot)


def _runs_before(message: Message) -> int:
    before = message.extra.get(ATTEMPTS, 0)
    return before if isinstance(before, int) and before > 0 else 0
