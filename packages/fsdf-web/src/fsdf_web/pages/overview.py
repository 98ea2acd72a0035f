"""Everything at a glance."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_web.templates import render

router = APIRouter()


@router.get("/")
def show_overview(request: Request) -> Response:
    """Workers, queues, rates, failures, backlog."""
    return render(request, "overview.html", {})
