"""Adding schedules, running them now, telling their next times."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from fsdf_control.scheduling import Schedule, Trigger
from fsdf_control.scheduling.schedule import derived_id
from fsdf_core.errors import ConfigurationError
from fsdf_core.registry import brokers
from fsdf_web.services.publishing import check_arguments, publish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_web.hub import Hub

_SHOWN = 3


def add_schedule(hub: Hub, new: Mapping[str, Any], broker_kind: str | None, *, replace: bool) -> Schedule:
    """Write a schedule for a queue.

    Args:
        hub: where queues and schedules are.
        new: the fields of the API's `NewSchedule`.
        broker_kind: for a queue that nobody knows yet.
        replace: whether one of the same id may be replaced.

    Raises:
        UnknownName: nobody knows the queue, or the broker.
        ConfigurationError: a value makes no sense, it would never fire, or there is one of that id.
        StateError: the state store cannot be reached.
    """
    name = new["queue"]
    known = hub.queues.all().get(name) if broker_kind is not None else hub.queues.get(name)
    if known is None:
        brokers.get(broker_kind or "")
    else:
        check_arguments(known, new["arguments"])
    trigger = _trigger(new["trigger"], new["when"], hub.settings.timezone)
    schedule = Schedule(
        id=new["id"] or derived_id(name, trigger, new["arguments"]),
        queue_name=name,
        trigger=trigger,
        arguments=new["arguments"],
        broker_kind=(known.broker_kind if known else broker_kind) or hub.settings.broker,
        broker_options=dict(known.broker_options) if known else {},
        catch_up=new["catch_up"],
        misfire_grace_time=new["misfire_grace_time"],
        name=new["name"],
    )
    if not hub.schedules().add(schedule, time.time(), replace=replace):
        raise ConfigurationError(f"it would never fire: its time is past ({trigger.arguments})")
    return schedule


def run_now(hub: Hub, schedule: Schedule, task_id: str | None = None) -> str:
    """Publish a schedule's call; return the task's id.

    Args:
        hub: where queues are found.
        schedule: whose call.
        task_id: its id; default: a new one.

    Raises:
        FsdfError: as `publish`.
    """
    kind = schedule.broker_kind or hub.settings.broker
    extra = schedule.extra if task_id is None else {**schedule.extra, "task_id": task_id}
    return publish(hub, schedule.queue_name, schedule.arguments, extra, kind).task_id


def next_runs(hub: Hub, schedule: Schedule) -> list[float]:
    """Return the next three times, in seconds since the epoch; none while it is paused."""
    if schedule.paused:
        return []
    moment = hub.schedules().next_times().get(schedule.id)
    times: list[float] = []
    while moment is not None and len(times) < _SHOWN:
        times.append(schedule.due_at(moment))
        moment = schedule.trigger.timing.next_after(moment)
    return [moment for moment in times if math.isfinite(moment)]


def _trigger(kind: str, when: Mapping[str, Any], timezone: str | None) -> Trigger:
    arguments = {name: value for name, value in when.items() if name != "timezone"}
    given = when.get("timezone") or timezone
    if given is not None and not isinstance(given, str):
        raise ConfigurationError(f"timezone: {given!r} is no name such as 'Europe/Berlin'")
    if taken := {"cls", "kind"} & arguments.keys():
        raise ConfigurationError(f"{kind}: there is no argument {min(taken)!r}")
    try:
        return Trigger.of(kind, given, **arguments)
    except OverflowError:
        raise ConfigurationError(f"{kind}: {arguments} is too much") from None
