"""Where the results of a task come back to."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.answer import Answer
    from fsdf_core.answer_reader import AnswerReader
    from fsdf_core.broker import Queue
    from fsdf_core.message import Message
    from fsdf_core.state import StateStore

DEFAULT_TIMEOUT = 1800.0
"""Seconds that a result is waited for if nobody says how long."""


class ResultSource:
    """Where the results of tasks come back to. Opens nothing before somebody asks.

    Args:
        queue: returns the queue; None if the tasks may be of any queue.
        timeout: seconds that a result is waited for.
    """

    def __init__(self, queue: Callable[[], Queue] | None = None, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.timeout = timeout
        self._queue = queue

    def readers(self) -> tuple[AnswerReader, ...]:
        """Return what reads the state stores where answers may be.

        Raises:
            ConfigurationError: the state store cannot be had.
        """
        from fsdf_core.answer_reader import reader_of  # noqa: PLC0415 - reading settings takes long

        if self._queue is not None:
            return (reader_of(result_store(self._queue())),)
        return tuple(map(reader_of, _any_store()))


ANYWHERE = ResultSource()
"""For tasks of which only the id is known: the default store, and those that this process has used."""


def result_store(queue: Queue) -> StateStore:
    """Return the state store for the results of a queue's tasks: as `fsdf.state.state_of`."""
    from fsdf.state import state_of  # noqa: PLC0415 - as above

    store = state_of(queue)
    with _lock:
        _used[id(store)] = store
    return store


def _any_store() -> list[StateStore]:
    from fsdf_core.registry import open_state  # noqa: PLC0415 - as above
    from fsdf_core.settings import get_settings  # noqa: PLC0415 - as above

    store = open_state(get_settings())
    with _lock:
        return list({**_used, id(store): store}.values())


def asks(extra: dict[str, Any], default: bool) -> bool:  # noqa: FBT001 - a value, not a switch
    """Return whether a message's control data ask for a result; `default` if they say nothing."""
    from fsdf_control.result_answer import asks as asks_for_answer  # noqa: PLC0415 - as above

    return asks_for_answer(extra, default)


def never_sent(message: Message) -> Answer:
    """Return the answer of a message that a control has dropped before it was sent."""
    from fsdf_core.answer import DROPPED, Answer  # noqa: PLC0415 - as above

    reason = getattr(message.settlement, "reason", "not sent")
    return Answer(
        message.task_id, DROPPED, reason, exception_type="Dropped", exception_msg=reason, queue_name=message.queue_name
    )


_lock = threading.Lock()
_used: dict[int, StateStore] = {}


def _forget_after_fork() -> None:
    global _lock  # noqa: PLW0603 - the parent's may be held
    _lock = threading.Lock()
    _used.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
