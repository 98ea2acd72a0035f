"""Calls users' functions when tasks have ended."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from fsdf_core import lifecycle
from fsdf_core.shutdown_hook import before_shutdown
from fsdf_pools import ShrinkableThreadPoolExecutor

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.result import AsyncResult
    from fsdf_core.answer import Answer

_WORKERS = 16
_LOOK = 0.5
"""Seconds between two looks of the main thread, that waits for callbacks, at whether a signal ends the process."""

_logger = logging.getLogger("fsdf.results")


class _Callbacks:
    """Callbacks that are not done, and the threads that call them."""

    def __init__(self) -> None:
        self.waiting = 0
        self.changed = threading.Condition()
        self.pool = ShrinkableThreadPoolExecutor(_WORKERS, keep_alive=2.0, thread_name_prefix="fsdf-callback")
        before_shutdown(self.drain)

    def add(self) -> None:
        with self.changed:
            self.waiting += 1

    def done(self) -> None:
        with self.changed:
            self.waiting -= 1
            if not self.waiting:
                self.changed.notify_all()

    def drain(self) -> None:
        """Wait until all are done; not if a signal has ended the process."""
        with self.changed:
            while self.waiting and not lifecycle.ending():
                self.changed.wait(_LOOK)


def call_back(result: AsyncResult[Any], callback: Callable[[dict[str, Any] | None], Any]) -> None:
    """Call `callback(status_and_result)` in a thread when the task has ended, with None if it has not in time.

    Raises:
        ConfigurationError: the task sends no result back.
    """
    callbacks = _callbacks_of_process()
    told = threading.Lock()

    def run(answer: Answer | None) -> None:
        try:
            callback(None if answer is None else answer.status_dict())
        except BaseException:
            _logger.exception("task %s: the callback that waited for its result failed", result.task_id)
        finally:
            callbacks.done()

    def tell(_: str, answer: Answer | None) -> None:
        # Several stores may be asked: the first answer counts, and only one may say that the time is over.
        if told.acquire(blocking=False):
            if answer is not None:
                result.keep(answer)
            callbacks.pool.execute(run, answer)

    known = result.answer
    readers = result.readers() if known is None else ()
    callbacks.add()
    if known is not None:
        callbacks.pool.execute(run, known)
        return
    for reader in readers:
        reader.expect([result.task_id], tell, result.timeout)


def _callbacks_of_process() -> _Callbacks:
    global _callbacks  # noqa: PLW0603 - the process's one
    with _lock:
        if _callbacks is None:
            _callbacks = _Callbacks()
        return _callbacks


_lock = threading.Lock()
_callbacks: _Callbacks | None = None


def _forget_after_fork() -> None:
    """The parent calls what was registered there."""
    global _lock, _callbacks  # noqa: PLW0603 - the parent's may be held
    _lock = threading.Lock()
    _callbacks = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
