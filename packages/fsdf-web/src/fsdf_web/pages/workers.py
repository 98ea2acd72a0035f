"""Workers by queue or by host."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.templates import render

router = APIRouter()


@router.get("/workers")
def show_workers(request: Request, hub: TheHub, by: str = "queue") -> Response:
    """The living workers."""
    roster = hub.roster()
    by = "host" if by == "host" else "queue"
    groups = roster.by_host() if by == "host" else roster.by_queue()
    return render(request, "workers.html", {"by": by, "groups": groups, "troubles": []})
