"""The HTTP API: one module a subject."""

from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer

from fsdf_web.api import audit, dead_letters, messages, one_queue, queues, schedules, speed, tasks, workers
from fsdf_web.api.models import REFUSALS

# Only for the document: the guard has looked at the token before.
_bearer = HTTPBearer(auto_error=False, description="FSDF_WEB_TOKEN, or FSDF_WEB_READ_TOKEN to look only")

ROUTER = APIRouter(prefix="/api", responses=REFUSALS, dependencies=[Depends(_bearer)])
"""All routes below `/api`."""

for module in (queues, dead_letters, messages, one_queue, tasks, speed, workers, schedules, audit):
    ROUTER.include_router(module.router)
