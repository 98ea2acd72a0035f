"""Queues: all of them, one with its dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_core.records import RecordQuery
from fsdf_web.api.dead_letters import shown_body
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.queue_reports import all_reports, report_of
from fsdf_web.services.troubles import Troubles
from fsdf_web.templates import render

if TYPE_CHECKING:
    from fsdf_web.hub import Hub
    from fsdf_web.services.queue_reports import QueueReport

router = APIRouter()
_DEAD, _LATEST = 50, 10


@router.get("/queues")
def show_queues(request: Request, hub: TheHub) -> Response:
    """All queues."""
    return render(request, "queues.html", {"reports": all_reports(hub), "troubles": []})


@router.get("/queues/{queue:path}")
def show_queue(request: Request, hub: TheHub, queue: str) -> Response:
    """One queue."""
    report = report_of(hub, queue)
    in_trouble, troubles = Troubles(), Troubles()
    dead = in_trouble.caught(lambda: _dead(hub, report), ())
    latest = troubles.caught(lambda: hub.records().find(RecordQuery(queue=queue, limit=_LATEST)).records, ())
    return render(
        request,
        "queue.html",
        {"report": report, "dead": dead, "dead_trouble": "; ".join(in_trouble.texts), "latest": latest},
    )


def _dead(hub: Hub, report: QueueReport) -> list[dict[str, Any]]:
    # Looking holds the messages for a moment: not without need.
    if not report.depth.dead:
        return []
    letters = hub.dead_letters.list(report.name, _DEAD, report.depth.dead)
    return [{**letter.__dict__, "body": shown_body(letter.body)} for letter in letters]
