"""Workers: who they are, and how to end them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from fsdf_web.api.models import Done
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it

router = APIRouter(tags=["workers"])


class WorkerStatus(BaseModel):
    """One consumer of one queue in one process; times are seconds since the epoch."""

    consumer_id: str
    queue: str
    broker_kind: str
    broker_options: dict[str, Any]
    function: str
    host: str
    ip: str
    pid: int
    process: str
    script: str
    version: str
    started: float
    mode: str
    group: str
    concurrency: int
    qps: float
    running: int
    succeeded: int
    failed: int
    per_second: float
    memory: int | None = Field(description="resident bytes of the process")
    beat: int
    seen: float


@router.get("/workers")
def list_workers(hub: TheHub) -> list[WorkerStatus]:
    """Return the living workers, by queue, host and process."""
    return [WorkerStatus.model_validate(asdict(worker)) for worker in hub.roster().workers()]


@router.post("/workers/{consumer_id}/shut-down")
def shut_down_worker(hub: TheHub, consumer_id: Annotated[str, Path(min_length=1, max_length=300)]) -> Done:
    """Let one worker finish what runs, give back the rest and stop; it begins within 2 s."""
    hub.roster().shut_down(consumer_id)
    return Done(count=1)
