"""The shapes that more than one call answers with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

QueueName = Annotated[str, Path(min_length=1, max_length=300, description="the queue's name")]
TaskId = Annotated[str, Path(min_length=1, max_length=300, description="the task's id")]
BrokerKind = Annotated[
    str | None,
    Query(
        description="opens a queue that no worker has consumed yet, at a broker of this kind, such as REDIS_ACK_ABLE"
    ),
]


class Strict(BaseModel):
    """A body; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Failure(BaseModel):
    """Why a call did not do what it was asked."""

    detail: Any


class Done(BaseModel):
    """How many tasks, messages or queues a call was about."""

    count: int = Field(ge=0)


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Failure, "description": "what was asked makes no sense"},
    401: {"model": Failure, "description": "no token, or a wrong one"},
    403: {"model": Failure, "description": "readers may not, or the request was forged"},
    404: {"model": Failure, "description": "there is none of that name"},
    409: {"model": Failure, "description": "the broker cannot do it"},
    413: {"model": Failure, "description": "the body is too large"},
    422: {"model": Failure, "description": "a value is not valid"},
    429: {"model": Failure, "description": "too many wrong tokens"},
    503: {"model": Failure, "description": "a store or broker cannot be reached"},
}
"""What any call may answer instead."""
