"""Schedules: what is published when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from fsdf_web.api.models import BrokerKind, Done, Strict
from fsdf_web.audit import add_details
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.schedules import add_schedule, next_runs, run_now

if TYPE_CHECKING:
    from fsdf_control.scheduling import Schedule

router = APIRouter(tags=["schedules"])
ScheduleId = Annotated[str, Path(min_length=1, max_length=300)]


class NewSchedule(Strict):
    """A call to publish at certain times."""

    queue: str = Field(min_length=1, max_length=300)
    trigger: Literal["date", "interval", "cron"]
    when: dict[str, Any] = Field(
        description='the trigger\'s: {"run_date": "2030-01-01T08:00"}, {"minutes": 5}, {"hour": 8, "minute": "*/15"}, '
        "and `timezone`"
    )
    arguments: dict[str, Any] = Field(default_factory=dict)
    id: str | None = Field(default=None, min_length=1, max_length=200, description="default: made of all the rest")
    name: str = Field(default="", max_length=200, description="for people")
    catch_up: Literal["one", "all", "none"] = Field(default="one", description="what becomes of missed times")
    misfire_grace_time: float | None = Field(default=None, gt=0, le=1e9)
    replace: bool = Field(default=False, description="replace one of the same id")


class ScheduleStatus(BaseModel):
    """One schedule; times are seconds since the epoch."""

    id: str
    name: str
    queue: str
    trigger: str
    when: dict[str, Any]
    arguments: dict[str, Any]
    catch_up: str
    paused: bool
    next_runs: list[float]


class Ran(BaseModel):
    """A call published besides its times."""

    task_id: str


@router.get("/schedules")
def list_schedules(hub: TheHub) -> list[ScheduleStatus]:
    """Return all schedules."""
    return [_status(schedule, hub) for _, schedule in sorted(hub.schedules().all().items())]


@router.post("/schedules", status_code=201)
def create_schedule(hub: TheHub, request: Request, new: NewSchedule, broker_kind: BrokerKind = None) -> ScheduleStatus:
    """Add a schedule. Some process must run schedules, or `fsdf-web --run-schedules`."""
    schedule = add_schedule(hub, new.model_dump(exclude={"replace"}), broker_kind, replace=new.replace)
    add_details(request.scope, schedule.id)
    return _status(schedule, hub)


@router.post("/schedules/{schedule_id:path}/pause")
def pause_schedule(hub: TheHub, schedule_id: ScheduleId) -> ScheduleStatus:
    """Let it publish nothing until it is resumed."""
    hub.schedules().pause(schedule_id)
    return _status(hub.schedules().get(schedule_id), hub)


@router.post("/schedules/{schedule_id:path}/resume")
def resume_schedule(hub: TheHub, schedule_id: ScheduleId) -> ScheduleStatus:
    """Let it publish again; what it missed is not made up for."""
    hub.schedules().resume(schedule_id, time.time())
    return _status(hub.schedules().get(schedule_id), hub)


@router.post("/schedules/{schedule_id:path}/run")
def run_schedule(hub: TheHub, schedule_id: ScheduleId) -> Ran:
    """Publish its call now, besides its times."""
    return Ran(task_id=run_now(hub, hub.schedules().get(schedule_id)))


@router.delete("/schedules/{schedule_id:path}")
def remove_schedule(hub: TheHub, schedule_id: ScheduleId) -> Done:
    """Delete a schedule."""
    hub.schedules().get(schedule_id)
    return Done(count=int(hub.schedules().remove(schedule_id)))


def _status(schedule: Schedule, hub: TheHub) -> ScheduleStatus:
    return ScheduleStatus(
        id=schedule.id,
        name=schedule.name,
        queue=schedule.queue_name,
        trigger=schedule.trigger.kind,
        when=schedule.trigger.arguments,
        arguments=schedule.arguments,
        catch_up=schedule.catch_up,
        paused=schedule.paused,
        next_runs=next_runs(hub, schedule),
    )
