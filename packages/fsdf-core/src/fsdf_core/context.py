"""Which message the running code belongs to."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_core.message import Message


class CurrentMessage:
    """The message being run: by this coroutine (or whatever was given its context), else by this thread.

    Attributes:
        thread: its attribute `message` is set by the worker before each run and kept until the next one; a plain
            thread-local, because to set a context variable takes three times as long.
        task: what coroutines set.
    """

    def __init__(self) -> None:
        self.thread = threading.local()
        self.task: ContextVar[Message | None] = ContextVar("fsdf_message", default=None)

    def get(self) -> Message | None:
        """Return the message; None if no task runs here."""
        message = self.task.get()
        return getattr(self.thread, "message", None) if message is None else message


current_message = CurrentMessage()
"""The process's one."""
