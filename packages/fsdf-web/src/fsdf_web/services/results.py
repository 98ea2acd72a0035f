"""What became of a task, from its result or its record."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from fsdf_core import answer as answers
from fsdf_core.answer_reader import reader_of
from fsdf_core.records import DEAD_LETTER, DROPPED, FAILURE, REQUEUED, RUNNING, SUCCESS

if TYPE_CHECKING:
    from fsdf_core.state import StateStore
    from fsdf_web.hub import Hub

PENDING = "pending"
_LOOK_EVERY = 0.5
_STATUS = {
    answers.SUCCEEDED: SUCCESS,
    answers.FAILED: FAILURE,
    answers.DEAD_LETTERED: DEAD_LETTER,
    answers.DROPPED: DROPPED,
}


class Answer(BaseModel):
    """What became of a task."""

    task_id: str
    status: str = Field(description="pending, running, requeued, success, failure, dropped or dead-letter")
    done: bool
    result: Any = None
    error_type: str = ""
    error: str = ""
    traceback: str = ""


def answer_of(hub: Hub, task_id: str, wait: float = 0.0, queue_name: str = "") -> Answer:
    """Return what became of a task.

    Args:
        hub: where results and records are.
        task_id: whose.
        wait: seconds to wait until it is done; default 0.
        queue_name: its queue, if that may be in this process's memory.

    Raises:
        StateError: neither results nor records can be reached.
    """
    store = hub.state_for(queue_name) if queue_name else hub.state()
    answer = _looked_up(hub, store, task_id)
    if answer.done or wait <= 0:
        return answer
    told = threading.Event()
    deadline = time.monotonic() + wait
    reader = reader_of(store)
    expectation = reader.expect([task_id], lambda *_: told.set(), wait)
    try:
        left = wait
        while left > 0 and not answer.done:
            # Tasks that were not asked for an answer tell it by their record.
            told.wait(min(left, _LOOK_EVERY))
            answer = _looked_up(hub, store, task_id)
            left = deadline - time.monotonic()
    finally:
        reader.forget(expectation)
    return answer


def _looked_up(hub: Hub, store: StateStore, task_id: str) -> Answer:
    told = reader_of(store).read([task_id]).get(task_id)
    if told is not None:
        return Answer(
            task_id=task_id,
            status=_STATUS.get(told.state, told.state),
            done=True,
            result=told.result,
            error_type=told.exception_type,
            error=told.exception_msg or told.reason,
            traceback=told.traceback,
        )
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
