"""The HTTP API: one module a subject."""

from typing import TYPE_CHECKING

from fsdf_web.api import audit

if TYPE_CHECKING:
    from fastapi import APIRouter

ROUTERS: tuple["APIRouter", ...] = (audit.router,)
"""All routes below `/api`."""
