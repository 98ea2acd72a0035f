"""How fast queues are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.speed import Window, curves

if TYPE_CHECKING:
    from fsdf_web.services.speed import Curve

router = APIRouter(tags=["speed"])


class SpeedCurve(BaseModel):
    """What happened on a queue, one number a step of time."""

    queue: str = Field(description='"" is all queues together')
    successes: list[int]
    failures: list[int]
    mean_seconds: list[float | None] = Field(description="mean time in the function; null where nothing ran")
    backlog: list[int | None] = Field(description="messages that waited; null where nobody looked")


class Speed(BaseModel):
    """Curves over one window of time."""

    window: Window
    step: int = Field(description="seconds")
    times: list[int] = Field(description="begin of each step, seconds since the epoch")
    total: SpeedCurve
    queues: list[SpeedCurve]


@router.get("/speed")
def show_speed(
    hub: TheHub,
    window: Annotated[Window, Query(description="60 s, 60 min, 24 h or 10 days")] = "minute",
    queue: Annotated[str | None, Query(max_length=300, description="only this one")] = None,
) -> Speed:
    """Return successes, failures, mean times and backlogs of each step."""
    found = curves(hub, window, queue)
    return Speed(
        window=window,
        step=found.step,
        times=found.times,
        total=_travelling(found.total),
        queues=[_travelling(curve) for curve in found.queues],
    )


def _travelling(curve: Curve) -> SpeedCurve:
    return SpeedCurve(
        queue=curve.queue,
        successes=curve.successes,
        failures=curve.failures,
        mean_seconds=curve.mean_seconds,
        backlog=curve.backlog,
    )
