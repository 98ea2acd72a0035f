"""How a new job finds its place in a store."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from fsdf_control.schedules.catch_up import OUTAGE
from fsdf_control.schedules.interval_timing import IntervalTiming
from fsdf_core.errors import ConfigurationError, StateUnavailable

if TYPE_CHECKING:
    import logging

    from fsdf_control.schedules.job import Job
    from fsdf_control.schedules.job_store import JobStore

_ATTEMPTS = 100


def anchored(job: Job, now: float) -> float:
    """Return where an interval without `start_date` starts: one interval from now."""
    timing = job.timing
    return round(now + timing.seconds, 6) if isinstance(timing, IntervalTiming) else 0.0


def first_moment(job: Job, now: float) -> float | None:
    """Return the first moment from now on (of a date: its own); None if there is none any more.

    Raises:
        ConfigurationError: it never had one: a cron expression of a day that is in no month.
    """
    first = job.timing.first(now)
    if first is None and job.trigger_args.get("end_date") is None and job.trigger_args.get("year") is None:
        raise ConfigurationError(f"job {job.id!r}: the trigger {job.trigger!r} never comes true: see its arguments")
    return first


def place(jobs: JobStore, job: Job, now: float, *, replace_existing: bool, logger: logging.Logger) -> Job:
    """Keep a job, or the one of that id that is the same already; return it.

    Raises:
        ConfigurationError: the id is taken by another job and `replace_existing` is False.
        StateUnavailable: other processes change the job all the time.
    """
    new = dataclasses.replace(job, anchor=anchored(job, now))
    first = job.next_run_time if job.next_run_time is not None else first_moment(new, now)
    # A moment that was never scheduled cannot have been missed.
    passed = first is None or first < now - OUTAGE
    new = dataclasses.replace(new, next_run_time=first)
    for _ in range(_ATTEMPTS):
        known = jobs.get(job.id)
        if known is not None and known.same_as(new):
            return known
        if known is not None and not replace_existing:
            raise ConfigurationError(
                f"the job id {job.id!r} is taken by another job: choose another id, or give replace_existing=True"
            )
        if passed:
            if known is None or jobs.remove(known.id, known.version):
                logger.warning("job %r is not kept: all its moments have passed", job.id)
                return dataclasses.replace(new, next_run_time=None)
        elif jobs.add(new) if known is None else jobs.change(new, known.version):
            return jobs.get(job.id) or new
    raise StateUnavailable(f"job {job.id!r} is changed by others all the time: try again")
