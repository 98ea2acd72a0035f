"""The HTTP API: one module a subject."""

from fastapi import APIRouter

from fsdf_web.api import audit, dead_letters, messages, one_queue, queues, schedules, speed, tasks, workers
from fsdf_web.api.models import REFUSALS

ROUTER = APIRouter(prefix="/api", responses=REFUSALS)
"""All routes below `/api`."""

for module in (queues, dead_letters, messages, one_queue, tasks, speed, workers, schedules, audit):
    ROUTER.include_router(module.router)
