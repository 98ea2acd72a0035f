"""Schedules: calls that are published at certain moments, by one of any number of processes.

APScheduler's triggers find the moments of cron expressions. Its scheduler is not used: it pickles functions into its
job stores; its wakeups do not cross processes; it moves a job on before the job's function has run, so a crash
loses the tick; and of several of its processes each runs every tick.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

from fsdf_control.moments import epoch_of, zone_of
from fsdf_control.schedules.job import POLICIES, Job
from fsdf_control.schedules.placing import anchored, first_moment, place
from fsdf_control.schedules.runner import Publish, Runner
from fsdf_control.schedules.schedule_thread import ScheduleThread
from fsdf_control.schedules.trigger import plain_arguments
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.errors import ConfigurationError, StateUnavailable, UnknownName
from fsdf_core.suggest import did_you_mean
from fsdf_core.task_id import new_task_id

if TYPE_CHECKING:
    from fsdf_control.schedules.job_store import JobStore
    from fsdf_core.clock import Clock
    from fsdf_core.state import StateStore

_CHANGEABLE = ("name", "arguments", "extra", "priority", "catch_up", "misfire_grace_time", "next_run_time")
_ATTEMPTS = 100


class Scheduler:
    """Adds, lists, changes and runs jobs. Thread-safe; all but `start` works in processes that run no ticks.

    Any number of processes may start a scheduler on the same stores: one of them runs the ticks, the others wait to
    replace it; changes made in any of them are followed within a second. A forked process has to start its own.

    Args:
        jobs: where the jobs are kept.
        state: what the processes share; must reach as far as `jobs`.
        publish: called as `publish(job, task_id)` to put a call on its queue.
        timezone: IANA name for triggers that name none; None (default) is the machine's zone.
        clock: the time; default the machine's.

    Example:
        >>> from fsdf_control.schedules import Job, MemoryJobStore
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> scheduler = Scheduler(MemoryJobStore(), MemoryStateStore(), lambda job, task_id: None, timezone="UTC")
        >>> job = scheduler.add(Job("hourly", "sums", "MEMORY_QUEUE", "interval", {"hours": 1}, {"x": 1}))
        >>> [job.id for job in scheduler.get_jobs()], scheduler.remove_job("hourly"), scheduler.get_jobs()
        (['hourly'], None, [])
    """

    def __init__(
        self,
        jobs: JobStore,
        state: StateStore,
        publish: Publish,
        *,
        timezone: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._jobs = jobs
        self._state = state
        self._publish = publish
        self._timezone = timezone
        self._clock = clock
        self._logger = logging.getLogger("fsdf.schedules")
        self._thread: ScheduleThread | None = None

    def start(self) -> None:
        """Take part in running the ticks, in the thread `fsdf-schedule`; return at once. Idempotent.

        Raises:
            ConfigurationError: other processes see the jobs, but not the state: each would run every tick.
        """
        if self.running:
            return
        if self._jobs.cross_process and not self._state.cross_process:
            raise ConfigurationError(
                "other processes see these jobs but not this state store, and would publish every tick again: "
                "set FSDF_STATE_URL to a store that they share, or keep the jobs in memory"
            )
        self._thread = ScheduleThread(self.runner, self._logger)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """End the thread and let another process take over at once; True if it has ended in `timeout` seconds."""
        thread, self._thread = self._thread, None
        return thread is None or thread.stop(timeout)

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - the known signature
        """`stop`, by APScheduler's name."""
        self.stop(5.0 if wait else 0.0)

    @property
    def running(self) -> bool:
        """Whether this process takes part in running the ticks."""
        return self._thread is not None and self._thread.alive

    def runner(self) -> Runner:
        """Return what runs the ticks: for those who drive it themselves."""
        return Runner(self._jobs, self._state, self._publish, self._clock, self._logger)

    def add(self, job: Job, *, replace_existing: bool = False) -> Job:
        """Keep a job; give it its first moment, unless it has a `next_run_time`.

        A job with an id that is taken and asked for in the very same words is the one that is there: it keeps its
        moments, and stays paused if it was. So processes may add their jobs at each start.

        Args:
            job: the job; its `trigger_args` as a user writes them.
            replace_existing: let a job of that id with other words give way. Default False.

        Returns:
            The job as it is kept. One whose moments have all passed is not kept, which is logged.

        Raises:
            ConfigurationError: an argument is not valid (it is named), or the id is taken.
            StateUnavailable: the job store cannot be reached.
        """
        now = self._clock.time()
        job = dataclasses.replace(
            job, trigger_args=plain_arguments(job.trigger, job.trigger_args, self._timezone), anchor=0.0
        )
        self._check(job)
        kept = place(self._jobs, job, now, replace_existing=replace_existing, logger=self._logger)
        self._wake()
        return kept

    def get_jobs(self) -> list[Job]:
        """Return all jobs: the next one first, paused ones last."""
        return self._jobs.all()

    def get_job(self, job_id: str) -> Job | None:
        """Return a job; None if there is none of that id."""
        return self._jobs.get(job_id)

    def remove_job(self, job_id: str) -> None:
        """Forget a job.

        Raises:
            UnknownName: there is none of that id; suggests the nearest.
        """
        if not self._jobs.remove(job_id):
            raise self._unknown(job_id)

    def remove_all_jobs(self) -> None:
        """Forget all jobs."""
        for job in self._jobs.all():
            self._jobs.remove(job.id)

    def pause_job(self, job_id: str) -> Job:
        """Stop a job's ticks until it is resumed."""
        return self._change(job_id, next_run_time=None)

    def resume_job(self, job_id: str) -> Job | None:
        """Go on with a paused job, from now: moments during the pause are not caught up.

        A date that has passed meanwhile runs now. Returns None, and forgets the job, if it has no moment any more.
        """
        job = self._known(job_id)
        if not job.paused:
            return job
        now = self._clock.time()
        first = first_moment(job, now)
        if first is None:
            self._jobs.remove(job.id, job.version)
            return None
        # A date that passed during the pause is due now, not missed.
        return self._change(job_id, next_run_time=max(first, now) if job.trigger == "date" else first)

    def modify_job(self, job_id: str, **changes: Any) -> Job:
        """Change a job.

        Args:
            job_id: the job.
            changes: any of `name`, `arguments`, `extra`, `priority`, `catch_up`, `misfire_grace_time` and
                `next_run_time` (a datetime, ISO text or seconds since the epoch; None pauses).

        Raises:
            UnknownName: there is no such job.
            ConfigurationError: a name or a value is not valid.
        """
        for name in changes:
            if name not in _CHANGEABLE:
                raise ConfigurationError(
                    f"a job's {name!r} cannot be changed.{did_you_mean(name, _CHANGEABLE)} "
                    f"What can: {', '.join(_CHANGEABLE)}; the trigger by reschedule_job."
                )
        if changes.get("next_run_time") is not None:
            changes["next_run_time"] = epoch_of(changes["next_run_time"], zone_of(self._timezone))
        return self._change(job_id, **changes)

    def reschedule_job(self, job_id: str, trigger: str, **trigger_args: Any) -> Job:
        """Give a job another trigger; it begins anew, and is resumed if it was paused.

        Raises:
            UnknownName: there is no such job.
            ConfigurationError: an argument is not valid (it is named), or leaves no moment from now on.
        """
        now = self._clock.time()
        job = dataclasses.replace(
            self._known(job_id),
            trigger=trigger,
            trigger_args=plain_arguments(trigger, trigger_args, self._timezone),
            anchor=0.0,
        )
        job = dataclasses.replace(job, anchor=anchored(job, now))
        first = first_moment(job, now)
        if first is None:
            raise ConfigurationError(f"job {job_id!r}: the trigger {trigger!r} has no moment from now on")
        return self._change(
            job_id, trigger=trigger, trigger_args=job.trigger_args, anchor=job.anchor, next_run_time=first
        )

    def run_job(self, job_id: str) -> str:
        """Publish a job's call now, from this process, beside its ticks; return the task's id.

        Raises:
            UnknownName: there is no such job.
            BrokerError: the broker did not accept it.
        """
        task_id = new_task_id()
        self._publish(self._known(job_id), task_id)
        return task_id

    def _change(self, job_id: str, **changes: Any) -> Job:
        for _ in range(_ATTEMPTS):
            job = self._known(job_id)
            changed = dataclasses.replace(job, **changes)
            self._check(changed)
            if self._jobs.change(changed, job.version):
                self._wake()
                return changed
        raise StateUnavailable(f"job {job_id!r} is changed by others all the time: try again")

    def _check(self, job: Job) -> None:
        if job.catch_up not in POLICIES:
            raise ConfigurationError(f"catch_up must be one of {', '.join(POLICIES)}, not {job.catch_up!r}")
        if job.misfire_grace_time is not None and not job.misfire_grace_time > 0:
            raise ConfigurationError(f"misfire_grace_time must be above 0 or None, not {job.misfire_grace_time!r}")
        if not job.id:
            raise ConfigurationError("a job's id must not be empty")

    def _known(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise self._unknown(job_id)
        return job

    def _unknown(self, job_id: str) -> UnknownName:
        return UnknownName(f"no job {job_id!r}.{did_you_mean(job_id, [job.id for job in self._jobs.all()])}")

    def _wake(self) -> None:
        if self._thread is not None:
            self._thread.wake()
