"""Who changed what."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.templates import render

router = APIRouter()


@router.get("/audit")
def show_audit(request: Request, hub: TheHub) -> Response:
    """The latest entries."""
    return render(request, "audit.html", {"entries": hub.audit.latest()})
