"""Which message the running code belongs to."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

from fsdf_core.message import Message
from fsdf_core.ready import message_from, opened

if TYPE_CHECKING:
    from fsdf_core.broker import Stamped
    from fsdf_core.ready import Ready


class CurrentMessage:
    """The message being run: by this coroutine (or whatever was given its context), else by this thread.

    Attributes:
        thread: its attribute `message` is set by the worker before each run and kept until the next one; a plain
            thread-local, because to set a context variable takes three times as long.
        task: what coroutines set. Both hold a message, or the body that it can be made from.
    """

    def __init__(self) -> None:
        self.thread = threading.local()
        self.task: ContextVar[Message | Stamped | None] = ContextVar("fsdf_message", default=None)

    def get(self) -> Message | None:
        """Return the message; None if no task runs here."""
        found = self.task.get()
        if type(found) is tuple:
            found = message_from(found)
            self.task.set(found)
        elif found is None:
            found = getattr(self.thread, "message", None)
            if type(found) is tuple:
                found = self.thread.message = message_from(found)
        return found  # type: ignore[return-value] # no tuple

    @staticmethod
    def message_of(ready: Ready, seen: Message | Stamped | None) -> Message:
        """Return the message that a worker has taken: the one that its task has seen, if it has.

        Args:
            ready: what was taken, and not acknowledged.
            seen: what `thread` or `task` held after it was run.
        """
        if (
            isinstance(seen, Message)
            and not isinstance(ready, Message)
            and isinstance(ready.body, tuple)
            and seen.arguments is ready.body[0]
        ):
            seen.delivery = ready
            return seen
        return opened(ready)


current_message = CurrentMessage()
"""The process's one."""
