"""One queue, by the shortest path: after all longer ones, because names may hold slashes."""

from __future__ import annotations

from fastapi import APIRouter

from fsdf_web.api.models import QueueName  # noqa: TC001 - FastAPI reads it
from fsdf_web.api.queues import QueueStatus, status_of
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.queue_reports import report_of

router = APIRouter(tags=["queues"])


@router.get("/queues/{queue:path}")
def show_queue(hub: TheHub, queue: QueueName) -> QueueStatus:
    """Return one queue."""
    return status_of(report_of(hub, queue))
