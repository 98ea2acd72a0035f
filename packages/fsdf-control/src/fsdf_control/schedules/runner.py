"""Publishes what is due: one look at a time, so that it is tested without a thread."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from fsdf_control.schedules.catch_up import plan
from fsdf_control.schedules.job import Job
from fsdf_control.schedules.tick_lease import RENEW, RETRY, TickLease
from fsdf_control.schedules.tick_marks import TickMarks

if TYPE_CHECKING:
    import logging

    from fsdf_control.schedules.job_store import JobStore
    from fsdf_core.clock import Clock
    from fsdf_core.state import StateStore

Publish = Callable[[Job, str], None]
"""Puts a job's call on its queue, with the given task id; returns when the broker has accepted it."""


class Runner:
    """Runs the ticks of a job store while this process holds its lease.

    For each tick, in this order: the mark pending; the call published; the mark done; the job's next moment stored,
    unless somebody has changed the job meanwhile. So a tick is published exactly once, by whatever process.
    After a crash between publishing and the mark done it is published again, with the same task id.

    Args:
        jobs: what there is to run.
        state: what the processes share.
        publish: puts a call on its queue.
        clock: the time.
        logger: says what happens; nothing for each tick above DEBUG.
    """

    def __init__(
        self, jobs: JobStore, state: StateStore, publish: Publish, clock: Clock, logger: logging.Logger
    ) -> None:
        identity = jobs.identity()
        self.lease = TickLease(state, identity, clock, logger)
        self._marks = TickMarks(state, identity)
        self._jobs = jobs
        self._publish = publish
        self._clock = clock
        self._logger = logger
        self._troubles: dict[str, str] = {}

    def look(self) -> float:
        """Publish what is due; return after how many seconds to look again, at most 1."""
        if not self.lease.held():
            return RETRY
        pause = RENEW
        now = self._clock.time()
        due = self._jobs.due(now + RENEW)
        for gone in self._troubles.keys() - {job.id for job in due}:
            del self._troubles[gone]
        for job in due:
            try:
                again = self._run(job, now)
            except Exception as error:  # noqa: BLE001 - of one job; the others go on
                self._complain(job, error)
                continue
            if again is None:
                return RETRY
            if self._troubles.pop(job.id, None) is not None:
                self._logger.info("job %r works again", job.id)
            pause = min(pause, again)
        return pause

    def _run(self, job: Job, now: float) -> float | None:
        """Return after how many seconds the job is due again; None if the lease is lost."""
        plans = plan(job, now)
        if plans.dropped:
            self._logger.warning(
                "job %r: ticks were missed; of them %d published (catch_up=%r)",
                job.id, len(plans.ticks), job.catch_up,
            )  # fmt: skip
        for moment in plans.ticks:
            if not self._tick(job, moment):
                return None
        following = plans.next_run_time
        if following == job.next_run_time and following is not None:
            return max(0.0, job.due(following) - now)
        if not self.lease.sure():
            return None
        if following is None:
            self._jobs.remove(job.id, job.version)
        else:
            self._jobs.change(dataclasses.replace(job, next_run_time=following), job.version)
        self._marks.settled(job, plans.ticks)
        return RENEW if following is None else max(0.0, job.due(following) - now)

    def _tick(self, job: Job, moment: float) -> bool:
        if not self.lease.held():
            return False
        if not self._marks.claim(job, moment, self.lease.token):
            return True
        # The claim may have taken long, as after a SIGSTOP.
        if not self.lease.sure():
            return False
        self._publish(job, job.task_id(moment))
        self._marks.done(job, moment)
        self._logger.debug("job %r: published the tick of %f", job.id, moment)
        return True

    def _complain(self, job: Job, error: Exception) -> None:
        description = f"{type(error).__name__}: {error}"
        if self._troubles.get(job.id) != description:
            self._troubles[job.id] = description
            self._logger.warning(
                "job %r cannot be published, trying on: %s", job.id, description, exc_info=self._logger.isEnabledFor(10)
            )
