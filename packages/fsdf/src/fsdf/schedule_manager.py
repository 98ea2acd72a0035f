"""The schedules of one store, and the process's scheduler for it."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fsdf.bound import BoundBooster
from fsdf.scheduled_job import ScheduledJob
from fsdf_control.scheduling import CatchUp, Schedule, ScheduleBook, Scheduler, Trigger
from fsdf_control.scheduling.schedule import derived_id
from fsdf_core import registry
from fsdf_core.errors import ConfigurationError, UnknownName, UnsupportedFeature
from fsdf_core.settings import get_settings
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsdf.booster import Booster
    from fsdf.publisher import BoosterPublisher
    from fsdf_core.state import StateStore

_logger = logging.getLogger("fsdf.schedules")
JOB_STORE_KINDS = ("sql", "memory", "redis", "mongodb")
_OPTIONS = ("misfire_grace_time", "catch_up", "coalesce", "name", "max_instances", "task_options")


class ScheduleManager:
    """The schedules of one store; `start()` lets this process publish them, if no other one does.

    Args:
        job_store_kind: "sql" (default): the state store (`state_url`, by default a SQLite file), shared by all
            processes; "memory": this process only; "redis", "mongodb": the setting `redis_url` or `mongo_url`.

    Raises:
        ConfigurationError: there is no such kind.
    """

    def __init__(self, job_store_kind: str = "sql") -> None:
        if job_store_kind not in JOB_STORE_KINDS:
            raise ConfigurationError(
                f"job_store_kind is one of {', '.join(JOB_STORE_KINDS)}, not {job_store_kind!r}."
                f"{did_you_mean(job_store_kind, JOB_STORE_KINDS)}"
            )
        self.book = ScheduleBook(_store(job_store_kind), "default")
        self.scheduler = Scheduler(self.book, publish)

    def add(
        self,
        booster: Booster[..., Any] | BoundBooster[..., Any],
        trigger: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - the known name
        replace_existing: bool = False,  # noqa: FBT001, FBT002 - the known signature
        **options: Any,
    ) -> ScheduledJob | None:
        """Publish a call of the function at the trigger's times; see `ApsJobAdder.add_push_job`."""
        first = (booster.__self__,) if isinstance(booster, BoundBooster) else ()
        arguments = booster.publisher.arguments((*first, *(args or ())), dict(kwargs or {}))
        own = {name: options.pop(name) for name in _OPTIONS if name in options}
        timezone = options.pop("timezone", None) or get_settings().timezone
        when = Trigger.of(trigger, str(timezone) if timezone is not None else None, **options)
        params = booster.boost_params
        catch_up: CatchUp = own.get("catch_up") or ("all" if own.get("coalesce") is False else "one")
        schedule = Schedule(
            id=id or derived_id(params.queue_name, when, arguments),
            queue_name=params.queue_name,
            trigger=when,
            arguments=arguments,
            broker_kind=str(params.broker_kind or get_settings().broker),
            extra=own["task_options"].to_extra() if own.get("task_options") is not None else {},
            broker_options=params.broker_exclusive_config,
            catch_up=catch_up,
            misfire_grace_time=own.get("misfire_grace_time"),
            name=own.get("name") or "",
        )
        if not self.book.add(schedule, time.time(), replace=replace_existing or id is None):
            _logger.warning("schedule %s never fires: its time is past (%s)", schedule.id, when.arguments)
            return None
        return ScheduledJob(self.book, schedule.id)

    def get_jobs(self) -> list[ScheduledJob]:
        """Return all jobs of the store, of other processes too."""
        return [ScheduledJob(self.book, name) for name in self.book.all()]

    def get_job(self, job_id: str) -> ScheduledJob | None:
        """Return a job, or None."""
        return ScheduledJob(self.book, job_id) if job_id in self.book.all() else None

    def remove_job(self, job_id: str) -> None:
        """Delete a job.

        Raises:
            UnknownName: there is none of that id.
        """
        self.book.get(job_id)
        self.book.remove(job_id)

    def remove_all_jobs(self) -> None:
        """Delete all jobs of the store."""
        for name in self.book.all():
            self.book.remove(name)

    def pause_job(self, job_id: str) -> None:
        """Let a job publish nothing until it is resumed. Raises as `remove_job`."""
        self.book.pause(job_id)

    def resume_job(self, job_id: str) -> None:
        """Let it publish again; what it missed is not made up for. Raises as `remove_job`."""
        self.book.resume(job_id, time.time())

    def reschedule_job(self, job_id: str, trigger: str, **arguments: Any) -> None:
        """Give a job another trigger. Raises as `remove_job`, and as `add`."""
        timezone = arguments.pop("timezone", None) or get_settings().timezone
        when = Trigger.of(trigger, str(timezone) if timezone is not None else None, **arguments)
        self.book.add(replace(self.book.get(job_id), trigger=when), time.time(), replace=True)

    def modify_job(self, job_id: str, **changes: Any) -> None:
        """Change a job's `name`, `kwargs` (the arguments by name), `misfire_grace_time` or `catch_up`.

        Raises:
            UnknownName: there is none of that id.
            ConfigurationError: it has no such attribute, or a value makes no sense.
        """
        known = {
            "name": "name",
            "kwargs": "arguments",
            "misfire_grace_time": "misfire_grace_time",
            "catch_up": "catch_up",
        }
        for name in changes:
            if name not in known:
                raise ConfigurationError(f"a job has no {name!r} to change.{did_you_mean(name, known)}")
        changed = replace(self.book.get(job_id), **{known[name]: value for name, value in changes.items()})
        self.book.rewrite(changed)

    def run_job(self, job_id: str) -> str:
        """Publish its call now, besides its times; return the task's id. Raises as `remove_job`."""
        return publish(self.book.get(job_id), None)

    def start(self, paused: bool = False) -> None:  # noqa: FBT001, FBT002 - the known signature
        """Publish what is due, in a thread that ends with the process; return at once."""
        self.scheduler.start(paused=paused)
        with _lock:
            if not _started:
                atexit.register(_hand_over)
            _started.add(self)

    def pause(self) -> None:
        """Publish nothing from this process; others take over."""
        self.scheduler.pause()

    def resume(self) -> None:
        """End the pause."""
        self.scheduler.resume()

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - the known signature
        """Publish no more from this process; another one takes over at once."""
        self.scheduler.stop(5.0 if wait else 0.0)

    @property
    def running(self) -> bool:
        """Whether `start` was called."""
        return self.scheduler.running


def publish(schedule: Schedule, task_id: str | None) -> str:
    """Put a schedule's call on its queue, whether its function is known in this process or not."""
    from fsdf.boosters_manager import BoostersManager  # noqa: PLC0415 - it knows what the user decorated
    from fsdf.params import BoosterParams  # noqa: PLC0415 - pydantic takes long

    publisher: BoosterPublisher[..., Any]
    try:
        publisher = BoostersManager.get_booster(schedule.queue_name).publisher
    except UnknownName:
        if schedule.queue_name not in _strangers:
            params = BoosterParams(
                queue_name=schedule.queue_name,
                broker_kind=schedule.broker_kind or None,
                broker_exclusive_config=schedule.broker_options,
                should_check_publish_func_params=False,
                booster_registry_name="scheduled queues",
            )
            _strangers[schedule.queue_name] = params(_unknown_function).publisher
        publisher = _strangers[schedule.queue_name]
    return publisher.publish_packed(schedule.arguments, {**schedule.extra}, task_id)


def manager(kind: str) -> ScheduleManager:
    """Return the process's one manager of a kind; a forked child gets its own."""
    with _lock:
        if kind not in _managers:
            _managers[kind] = ScheduleManager(kind)
        return _managers[kind]


def _unknown_function(**arguments: Any) -> None:
    raise UnsupportedFeature(f"this process only publishes such tasks: {arguments}")


def _store(kind: str) -> StateStore:
    settings = get_settings()
    if kind == "memory":
        return registry.states.get("memory").from_url("memory://", settings)
    if kind == "sql":
        return registry.open_state(settings)
    url = (settings.redis_url if kind == "redis" else settings.mongo_url).get_secret_value()
    return registry.states.get(kind).from_url(url, settings)


_lock = threading.RLock()
_managers: dict[str, ScheduleManager] = {}
_started: set[ScheduleManager] = set()
_strangers: dict[str, BoosterPublisher[..., Any]] = {}


def _hand_over() -> None:
    for each in list(_started):
        each.shutdown()


def _forget_after_fork() -> None:
    global _lock  # noqa: PLW0603 - the parent's may be held
    _lock = threading.RLock()
    _managers.clear()
    _started.clear()
    _strangers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
