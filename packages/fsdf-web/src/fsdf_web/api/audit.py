"""Who changed what."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it

router = APIRouter(tags=["audit"])


class AuditEntry(BaseModel):
    """One request that may have changed something."""

    time: float = Field(description="seconds since the epoch")
    who: str = Field(description="role, and the beginning of the session's id")
    address: str
    action: str = Field(description="method and path")
    details: str = Field(description="which ids it was about")
    status: int = Field(description="the HTTP status it was answered with")


@router.get("/audit")
def list_audit(hub: TheHub, limit: int = 200) -> list[AuditEntry]:
    """Return the latest requests that may have changed something, newest first."""
    return [AuditEntry.model_validate(entry) for entry in hub.audit.latest(max(0, min(limit, 1000)))]
