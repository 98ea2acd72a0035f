"""Dead letters: look, replay, drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from fsdf_web.api.models import Done, QueueName, Strict
from fsdf_web.audit import add_details
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it

if TYPE_CHECKING:
    from fsdf_core.broker import Body

router = APIRouter(tags=["dead letters"])


class DeadLetter(BaseModel):
    """One message on a dead-letter queue."""

    task_id: str
    arguments: dict[str, Any]
    body: Any = Field(description="what was no task message, as text")
    reason: str
    error: str
    traceback: str
    attempts: int
    deliveries: int
    time: float = Field(description="seconds since the epoch; 0 if nobody noted it")
    queue: str


class Chosen(Strict):
    """Which messages."""

    task_ids: list[str] | None = Field(default=None, max_length=10_000, description="null: all")


@router.get("/queues/{queue:path}/dead-letters")
def list_dead_letters(
    hub: TheHub, queue: QueueName, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[DeadLetter]:
    """Return up to `limit` dead letters, the oldest first where the broker keeps order."""
    return [
        DeadLetter(**{**dead.__dict__, "body": shown_body(dead.body)}) for dead in hub.dead_letters.list(queue, limit)
    ]


@router.post("/queues/{queue:path}/dead-letters/replay")
def replay_dead_letters(hub: TheHub, request: Request, queue: QueueName, chosen: Chosen) -> Done:
    """Send them back to their queue, as new."""
    _note(request, chosen)
    count = hub.dead_letters.replay(queue, chosen.task_ids)
    hub.depths.forget(queue)
    return Done(count=count)


@router.post("/queues/{queue:path}/dead-letters/drop")
def drop_dead_letters(hub: TheHub, request: Request, queue: QueueName, chosen: Chosen) -> Done:
    """Delete them."""
    _note(request, chosen)
    count = hub.dead_letters.drop(queue, chosen.task_ids)
    hub.depths.forget(queue)
    return Done(count=count)


def shown_body(body: Body | None) -> Any:
    """Return a body that was no task message, as text."""
    return body.decode("utf-8", "backslashreplace") if isinstance(body, bytes) else body


def _note(request: Request, chosen: Chosen) -> None:
    add_details(request.scope, "all" if chosen.task_ids is None else ", ".join(chosen.task_ids))
