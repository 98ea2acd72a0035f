"""Publishing at certain times: `ApsJobAdder` and `fsdf_background_scheduler`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf.schedule_manager import ScheduleManager, manager
from fsdf.state_file_wait import StateFileWait, state_is_used
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsdf.booster import Booster
    from fsdf.bound import BoundBooster
    from fsdf.scheduled_job import ScheduledJob

_SHARED, _OWN = "sql", "memory"


class ApsJobAdder:
    """Publishes calls of a task at certain times; each time once, from however many processes run this.

    Args:
        booster: the decorated function.
        job_store_kind: where the jobs are kept: "sql" (default), "memory", "redis" or "mongodb"; see
            `ScheduleManager`. Tasks on a queue in memory have their jobs in memory.
        is_auto_start: let this process publish them (default True).
        is_auto_paused: but only after `aps_obj.resume()`; default False.

    Attributes:
        aps_obj: lists, pauses, resumes, removes and runs jobs.

    Example:
        >>> from fsdf import boost
        >>> @boost("mails", broker_kind="MEMORY_QUEUE")
        ... def send(to):
        ...     print(to)
        >>> job = ApsJobAdder(send, "memory").add_push_job(trigger="interval", hours=1, args=("me",))
        >>> job.kwargs
        {'to': 'me'}
    """

    def __init__(
        self,
        booster: Booster[..., Any] | BoundBooster[..., Any],
        job_store_kind: str = "sql",
        is_auto_start: bool = True,  # noqa: FBT001, FBT002 - the known signature
        is_auto_paused: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        self.booster = booster
        local = not booster.publisher.queue().broker.capabilities.cross_process
        self.aps_obj = manager("memory" if local else job_store_kind)
        if is_auto_start:
            self.aps_obj.start(paused=is_auto_paused)

    def add_push_job(
        self,
        trigger: str = "date",
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - the known name
        replace_existing: bool = False,  # noqa: FBT001, FBT002 - the known signature
        **options: Any,
    ) -> ScheduledJob | None:
        """Publish a call at the trigger's times.

        Args:
            trigger: "date" (`run_date`), "interval" (`weeks`, `days`, `hours`, `minutes`, `seconds`) or "cron"
                (`year`, `month`, `day`, `week`, `day_of_week`, `hour`, `minute`, `second`), as in APScheduler;
                the latter two also take `start_date`, `end_date` and `jitter`.
            args: the function's positional arguments.
            kwargs: its named arguments.
            id: of the job. Default: made of queue, trigger and arguments, so that a script which is started
                again does not add its jobs twice.
            replace_existing: replace a job of that id; one that has not changed goes on where it was.
            **options: the trigger's arguments; `timezone` (default: the setting); `misfire_grace_time` (seconds,
                None: no limit); `catch_up` for times that nobody published for more than 10 s: "one" (the latest,
                default), "all" (= APScheduler's `coalesce=False`) or "none"; `task_options`; `name`.

        Returns:
            The job; None, with a warning, if its time is past.

        Raises:
            ConfigurationError: an argument is unknown or wrong, or the id is taken.
            TypeError: the function cannot be called like this.
            StateError: the store cannot be reached.
        """
        return self.aps_obj.add(self.booster, trigger, args, kwargs, id, replace_existing, **options)


class BackgroundScheduler:
    """The process's scheduler under the known name; jobs of queues in memory are kept in memory.

    As long as nobody uses the state store, it makes no file for it: a job that comes there later is noticed within
    a second.
    """

    def __init__(self) -> None:
        self._later: StateFileWait | None = None

    def add_timing_publish_job(
        self, func: Booster[..., Any] | BoundBooster[..., Any], trigger: str, **options: Any
    ) -> ScheduledJob | None:
        """Publish calls of a task: see `ApsJobAdder.add_push_job`."""
        return ApsJobAdder(func, is_auto_start=False).add_push_job(trigger, **options)

    add_push_job = add_timing_publish_job

    def add_job(self, func: Callable[..., Any], trigger: str, **options: Any) -> ScheduledJob | None:
        """The same, for `timing_publish_deco(task)`.

        Raises:
            ConfigurationError: it is no task: jobs publish calls, they run nothing in this process.
        """
        booster: Any = getattr(func, "booster", func)
        if not hasattr(booster, "boost_params"):
            raise ConfigurationError(f"add_job takes timing_publish_deco(task), where task is decorated, not {func!r}")
        return self.add_timing_publish_job(booster, trigger, **options)

    def start(self, paused: bool = False) -> None:  # noqa: FBT001, FBT002 - the known signature
        """Publish what is due, from now on."""
        kinds = _kinds()
        for kind in kinds:
            manager(kind).start(paused=paused)
        if _SHARED not in kinds and (self._later is None or not self._later.alive):
            self._later = StateFileWait(lambda: manager(_SHARED).start(paused=paused))

    def get_jobs(self) -> list[ScheduledJob]:
        """Return all jobs."""
        return [job for kind in _kinds() for job in manager(kind).get_jobs()]

    def get_job(self, job_id: str) -> ScheduledJob | None:
        """Return a job, or None."""
        return next((job for job in self.get_jobs() if job.id == job_id), None)

    def remove_job(self, job_id: str) -> None:
        """Delete a job.

        Raises:
            UnknownName: there is none of that id.
        """
        self._of(job_id).remove_job(job_id)

    def run_job(self, job_id: str) -> str:
        """Publish its call now; return the task's id. Raises as `remove_job`."""
        return self._of(job_id).run_job(job_id)

    def pause_job(self, job_id: str) -> None:
        """Let a job publish nothing. Raises as `remove_job`."""
        self._of(job_id).pause_job(job_id)

    def resume_job(self, job_id: str) -> None:
        """Let it publish again. Raises as `remove_job`."""
        self._of(job_id).resume_job(job_id)

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - the known signature
        """Publish no more from this process."""
        if self._later is not None:
            self._later.close()
        for kind in _kinds():
            manager(kind).shutdown(wait)

    @staticmethod
    def _of(job_id: str) -> ScheduleManager:
        memory = manager(_OWN)
        if _SHARED not in _kinds() or memory.get_job(job_id) is not None:
            return memory
        return manager(_SHARED)


def _kinds() -> tuple[str, ...]:
    return (_SHARED, _OWN) if state_is_used() else (_OWN,)


fsdf_background_scheduler = BackgroundScheduler()
"""The process's one."""


def timing_publish_deco(booster: Booster[..., Any]) -> Callable[..., Any]:
    """Return a function that publishes a call of the task; for `fsdf_background_scheduler.add_job`."""

    def push(*args: Any, **kwargs: Any) -> Any:
        return booster.push(*args, **kwargs)

    push.booster = booster  # type: ignore[attr-defined]
    return push
