"""How fast queues are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.speed import curves
from fsdf_web.services.troubles import Troubles
from fsdf_web.templates import render

if TYPE_CHECKING:
    from fsdf_web.services.speed import Curve

router = APIRouter()


@dataclass(frozen=True)
class Row:
    """A queue's last hour in numbers."""

    queue: str
    successes: int
    failures: int
    mean: float | None
    backlog: int | None


@router.get("/speed")
def show_speed(request: Request, hub: TheHub, queue: str = "") -> Response:
    """Curves of seconds, minutes, hours and days."""
    troubles = Troubles()
    found = troubles.caught(lambda: curves(hub, "hour", queue or None).queues, ())
    return render(
        request,
        "speed.html",
        {
            "queue": queue,
            "queues": list(hub.queues.all()),
            "rows": [_row(curve) for curve in found],
            "troubles": troubles.texts,
        },
    )


def _row(curve: Curve) -> Row:
    means = [each for each in curve.mean_seconds if each is not None]
    backlogs = [each for each in curve.backlog if each is not None]
    return Row(
        curve.queue,
        sum(curve.successes),
        sum(curve.failures),
        sum(means) / len(means) if means else None,
        backlogs[-1] if backlogs else None,
    )
