"""What became of a task, from its result or its record."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from fsdf_core.records import REQUEUED, RUNNING, SUCCESS

if TYPE_CHECKING:
    from fsdf_web.hub import Hub

PENDING = "pending"
_LOOK_EVERY = 0.1


class Answer(BaseModel):
    """What became of a task."""

    task_id: str
    status: str = Field(description="pending, running, requeued, success, failure, dropped or dead-letter")
    done: bool
    result: Any = None
    error_type: str = ""
    error: str = ""
    traceback: str = ""


def answer_of(hub: Hub, task_id: str, wait: float = 0.0) -> Answer:
    """Return what became of a task.

    Args:
        hub: where results and records are.
        task_id: whose.
        wait: seconds to wait until it is done; default 0.

    Raises:
        StateError: neither results nor records can be reached.
    """
    deadline = time.monotonic() + wait
    pause = threading.Event()
    while True:
        answer = _looked_up(hub, task_id)
        if answer.done or time.monotonic() >= deadline:
            return answer
        pause.wait(_LOOK_EVERY)


def _looked_up(hub: Hub, task_id: str) -> Answer:
    record = hub.records().get(task_id)
    if record is None:
        return Answer(task_id=task_id, status=PENDING, done=False)
    return Answer(
        task_id=task_id,
        status=record.status,
        done=record.status not in {RUNNING, REQUEUED},
        result=record.result if record.status == SUCCESS else None,
        error_type=record.error_type,
        error=record.error,
        traceback=record.traceback,
    )
