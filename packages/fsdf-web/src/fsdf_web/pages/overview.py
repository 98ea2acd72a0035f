"""Everything at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_core.records import DEAD_LETTER, FAILURE, RecordQuery
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.queue_reports import all_reports
from fsdf_web.services.speed import curves
from fsdf_web.services.troubles import Troubles
from fsdf_web.templates import render

if TYPE_CHECKING:
    from fsdf_core.records import TaskRecord
    from fsdf_core.roster import Worker
    from fsdf_web.hub import Hub
    from fsdf_web.services.queue_reports import QueueReport

router = APIRouter()
_BUSIEST, _FAILURES = 10, 8


@router.get("/")
def show_overview(request: Request, hub: TheHub) -> Response:
    """Workers, queues, rates, failures, backlog."""
    troubles = Troubles()
    reports = troubles.caught(lambda: all_reports(hub), ())
    nobody: dict[str, list[Worker]] = {}
    by_host = troubles.caught(lambda: hub.roster().by_host(), nobody)
    hour = troubles.caught(lambda: curves(hub, "hour").total, None)
    latest = troubles.caught(lambda: _failures(hub), ())
    return render(
        request,
        "overview.html",
        {
            "troubles": troubles.texts,
            "reports": reports,
            "hosts": by_host,
            "workers": sum(len(members) for members in by_host.values()),
            "running": sum(report.running for report in reports),
            "per_second": sum(report.per_second for report in reports),
            "backlog": sum(report.depth.ready or 0 for report in reports),
            "dead": sum(report.depth.dead or 0 for report in reports),
            "successes": sum(hour.successes) if hour else 0,
            "failures": sum(hour.failures) if hour else 0,
            "busiest": sorted(reports, key=_business, reverse=True)[:_BUSIEST],
            "latest": latest,
        },
    )


def _failures(hub: Hub) -> list[TaskRecord]:
    found = [
        record
        for status in (FAILURE, DEAD_LETTER)
        for record in hub.records().find(RecordQuery(status=status, limit=_FAILURES)).records
    ]
    return sorted(found, key=lambda record: -record.moment)[:_FAILURES]


def _business(report: QueueReport) -> tuple[float, float]:
    return (report.depth.ready or 0) + (report.depth.dead or 0) + report.running, report.per_second
