"""Publishing, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from fsdf_web.api.models import BrokerKind, QueueName, Strict, TaskId
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.publishing import publish
from fsdf_web.services.results import Answer, answer_of

if TYPE_CHECKING:
    from fsdf_web.hub import Hub

_WAITING = CapacityLimiter(200)
"""Who waits takes no thread from those who do not."""

router = APIRouter(tags=["messages"])


class Call(Strict):
    """A call of the queue's function."""

    arguments: dict[str, Any] = Field(default_factory=dict, description="by name")
    task_id: str | None = Field(default=None, min_length=1, max_length=200, description="default: a new one")
    countdown: float | None = Field(default=None, ge=0, le=1e9, description="seconds before it may run")
    eta: str | None = Field(default=None, max_length=100, description="when it may run, ISO 8601")
    priority: int | None = Field(default=None, ge=0, le=255, description="0 is low; on brokers that have priorities")
    extra: dict[str, Any] = Field(default_factory=dict, description="other control data, such as max_retry_times")
    wait: float = Field(default=0.0, ge=0, le=60, description="seconds to wait for the result; 0: not at all")


class Published(BaseModel):
    """A call that the broker has accepted."""

    task_id: str
    queue: str
    accepted: bool = Field(description="false: a rule dropped it")
    result: Answer | None = Field(default=None, description="if it was waited for")


@router.post("/queues/{queue:path}/messages", status_code=201)
async def publish_call(hub: TheHub, queue: QueueName, call: Call, broker_kind: BrokerKind = None) -> Published:
    """Publish a call; return once the broker has accepted it, or with its result if that is waited for."""
    return await to_thread.run_sync(_published, hub, queue, call, broker_kind, limiter=_WAITING if call.wait else None)


@router.get("/results/{task_id:path}")
async def show_result(
    hub: TheHub,
    task_id: TaskId,
    wait: Annotated[float, Query(ge=0, le=60, description="seconds to wait for it")] = 0.0,
) -> Answer:
    """Return what became of a task; `status` is "pending" as long as nobody knows."""
    return await to_thread.run_sync(answer_of, hub, task_id, wait, limiter=_WAITING if wait else None)


def _published(hub: Hub, queue: str, call: Call, broker_kind: str | None) -> Published:
    own = {"task_id": call.task_id, "countdown": call.countdown, "eta": call.eta, "priority": call.priority}
    extra = {**call.extra, **{name: value for name, value in own.items() if value is not None}}
    if call.wait:
        extra["is_using_rpc_mode"] = True
    message = publish(hub, queue, call.arguments, extra, broker_kind)
    accepted = message.settlement is None
    result = answer_of(hub, message.task_id, call.wait, queue) if call.wait and accepted else None
    return Published(task_id=message.task_id, queue=queue, accepted=accepted, result=result)
