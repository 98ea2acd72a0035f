"""Schedules: all of them, and a form for a new one."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.schedules import next_runs
from fsdf_web.templates import render

router = APIRouter()
_LATE = 15.0
"""Seconds after which a schedule's time was missed: nobody runs the schedules."""


@router.get("/schedules")
def show_schedules(request: Request, hub: TheHub) -> Response:
    """What is published when."""
    now = time.time()
    rows = []
    for _, schedule in sorted(hub.schedules().all().items()):
        following = next_runs(hub, schedule)
        overdue = bool(following) and following[0] < now - _LATE
        rows.append({"schedule": schedule, "next_runs": following, "overdue": overdue})
    return render(
        request,
        "schedules.html",
        {
            "schedules": rows,
            "queues": list(hub.queues.all()),
            "troubles": [],
        },
    )
