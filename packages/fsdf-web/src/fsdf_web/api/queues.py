"""Queues: how they are, and orders to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fsdf_control.pausing import pause, resume
from fsdf_web.api.models import Done, QueueName, Strict
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.queue_reports import all_reports, report_of

if TYPE_CHECKING:
    from fsdf_web.services.queue_reports import QueueReport

router = APIRouter(tags=["queues"])


class QueueStatus(BaseModel):
    """One queue."""

    name: str
    broker_kind: str
    function: str
    ready: int | None = Field(description="messages deliverable now; null if the broker cannot tell")
    delayed: int | None = Field(description="messages that wait for their time")
    running: int = Field(description="calls that run, as the workers say")
    unacked: int | None = Field(description="messages delivered and not done, as the broker says")
    dead: int | None = Field(description="dead letters")
    trouble: str = Field(description="why the broker could not be asked")
    paused: bool
    workers: int
    per_second: float = Field(description="tasks done a second")
    qps: float | None = Field(description="starts a second in each worker, 0 is no limit")
    concurrency: int | None = Field(description="calls at once in each worker")
    ordered: bool = Field(description="whether the pace was ordered, or is what the code says")
    params: dict[str, Any] = Field(description="what the decorator says")
    parameters: list[dict[str, Any]] = Field(description="the function's parameters")


class PaceOrder(Strict):
    """What to change; null leaves as it is."""

    qps: float | None = Field(default=None, ge=0, le=1e9, description="starts a second in each worker, 0 is no limit")
    concurrency: int | None = Field(default=None, ge=1, le=1_000_000, description="calls at once in each worker")


@router.get("/queues")
def list_queues(hub: TheHub) -> list[QueueStatus]:
    """Return every queue that workers, records, schedules or this process know."""
    return [status_of(report) for report in all_reports(hub)]


@router.post("/queues/{queue:path}/pause")
def pause_queue(hub: TheHub, queue: QueueName) -> QueueStatus:
    """Let no task of the queue start, in any process, within a second, until it is resumed."""
    report_of(hub, queue)
    pause(hub.state_for(queue), queue)
    return status_of(report_of(hub, queue))


@router.post("/queues/{queue:path}/resume")
def resume_queue(hub: TheHub, queue: QueueName) -> QueueStatus:
    """End the pause."""
    report_of(hub, queue)
    resume(hub.state_for(queue), queue)
    return status_of(report_of(hub, queue))


@router.post("/queues/{queue:path}/clear")
def clear_queue(hub: TheHub, queue: QueueName) -> Done:
    """Delete the messages that wait; those that run are left alone."""
    cleared = hub.queues.open(queue).purge()
    hub.depths.forget(queue)
    return Done(count=max(0, cleared))


@router.patch("/queues/{queue:path}/pace")
def change_pace(hub: TheHub, queue: QueueName, order: PaceOrder) -> QueueStatus:
    """Change how fast the queue's workers are, within 2 s and also after restarts, until it is reset."""
    report_of(hub, queue)
    hub.roster().set_pace(queue, qps=order.qps, concurrency=order.concurrency)
    return status_of(report_of(hub, queue))


@router.delete("/queues/{queue:path}/pace")
def reset_pace(hub: TheHub, queue: QueueName) -> QueueStatus:
    """Let the queue's workers be as fast as their code says."""
    report_of(hub, queue)
    hub.roster().reset_pace(queue)
    return status_of(report_of(hub, queue))


@router.delete("/queues/{queue:path}/entry")
def forget_queue(hub: TheHub, queue: QueueName) -> Done:
    """Show the queue no more, until a worker begins to consume it; its messages stay."""
    hub.queues.get(queue)
    hub.roster().forget_queue(queue)
    return Done(count=1)


def status_of(report: QueueReport) -> QueueStatus:
    """Return the report as it travels."""
    return QueueStatus(
        name=report.name,
        broker_kind=report.known.broker_kind,
        function=report.known.function,
        ready=report.depth.ready,
        delayed=report.depth.delayed,
        running=report.running,
        unacked=report.depth.running,
        dead=report.depth.dead,
        trouble=report.depth.trouble,
        paused=report.paused,
        workers=len(report.workers),
        per_second=report.per_second,
        qps=report.qps,
        concurrency=report.concurrency,
        ordered=report.pace.qps is not None or report.pace.concurrency is not None,
        params=dict(report.known.params),
        parameters=[dict(each) for each in report.known.parameters],
    )
