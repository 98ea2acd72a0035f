"""What becomes of ticks that come late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_control.schedules.job import Job

OUTAGE = 10.0
"""Seconds late from which ticks count as missed; a dead process is replaced well within them."""
_MOST = 100
"""Ticks of one job that are published before the others have their turn."""


@dataclass(frozen=True)
class Plan:
    """What to do about a job that is due.

    Attributes:
        ticks: the moments to publish now, oldest first.
        next_run_time: the moment after those done with; None if there is none.
        dropped: whether moments before were given up.
    """

    ticks: list[float]
    next_run_time: float | None
    dropped: bool = False


def plan(job: Job, now: float) -> Plan:
    """Return which ticks to publish.

    Ticks at most 10 s late are all published, so that none is lost when a process takes over from a dead one.
    If the oldest one is later, nobody has run the schedule for a while, and `job.catch_up` says what becomes of
    the ticks that are due: "one": the last of them is published, the others are dropped; "all": all are published,
    oldest first; "none": all are dropped. Whatever it says, ticks later than `job.misfire_grace_time` are dropped.

    Args:
        job: a job with a `next_run_time`.
        now: seconds since the epoch.
    """
    first = job.next_run_time
    if first is None or job.due(first) > now:
        return Plan([], first)
    timing = job.timing
    grace = job.misfire_grace_time
    if job.catch_up != "all" and now - first > OUTAGE + timing.jitter:
        last = timing.latest(first, now)
        # With jitter the last moment's tick may not be due yet: it is no missed one.
        if job.due(last) > now:
            return Plan([], last, dropped=True)
        publish = job.catch_up == "one" and (grace is None or now - job.due(last) <= grace)
        return Plan([last] if publish else [], timing.next_after(last), dropped=last > first or not publish)
    ticks: list[float] = []
    moment: float | None = first
    dropped = False
    if grace is not None and first < now - grace - timing.jitter:
        moment, dropped = timing.next_after(now - grace - timing.jitter - 1e-6), True
    while moment is not None and len(ticks) < _MOST and job.due(moment) <= now:
        if grace is not None and now - job.due(moment) > grace:
            dropped = True
        else:
            ticks.append(moment)
        moment = timing.next_after(moment)
    return Plan(ticks, moment, dropped)
