"""Publish equal tasks once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_control.equal_tasks import digest
from fsdf_core.control import Control
from fsdf_core.errors import ConfigurationError, StateError
from fsdf_core.verdict import Drop

if TYPE_CHECKING:
    from fsdf_control.equal_tasks import Key
    from fsdf_core.message import Message
    from fsdf_core.state import StateStore

_TRIES = 5
"""How often a mark that falls between two looks is taken anew."""


class Deduplicate(Control):
    """Does not send a task if an equal one was published within the last `ttl` seconds.

    The message then carries the earlier task's id, so that its result is waited for. Equal are tasks with the same
    `extra["filter_str"]`, else the same key, else the same arguments. If the store is away, publishing fails. A
    producer that dies between marking a task and sending it keeps its equals away for `ttl` seconds.

    Args:
        store: shared by all producers of the queue.
        ttl: seconds, above 0.
        key: returns the text that stands for a message; default: its arguments.
        queue_name: the queue; default: what the message says.

    Raises:
        ValueError: `ttl` is not above 0.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> once = Deduplicate(MemoryStateStore(), ttl=60, queue_name="sums")
        >>> once.on_publish(Message({"x": 1}, {"task_id": "a"}))
        >>> once.on_publish(Message({"x": 1}, {"task_id": "b"}))
        Drop(reason='duplicate of a')
    """

    def __init__(self, store: StateStore, ttl: float, *, key: Key | None = None, queue_name: str = "") -> None:
        if not ttl > 0:
            raise ValueError(f"ttl must be above 0 s, not {ttl}: leave the control out to send everything")
        self._store = store
        self._ttl = ttl
        self._key = key
        self._queue_name = queue_name

    def on_publish(self, message: Message) -> Drop | None:
        """Take the task's place, or name the task that has it.

        Raises:
            StateError: the store could not be asked; nothing is sent.
            ConfigurationError: nobody says which queue it is.
        """
        key = self._mark(message)
        own = message.task_id.encode(errors="backslashreplace")
        for _ in range(_TRIES):
            if self._store.add({key: own}, self._ttl):
                return None
            (earlier,) = self._store.get([key])
            if earlier is not None:
                message.extra["task_id"] = earlier.decode()
                return Drop(f"duplicate of {message.extra['task_id']}")
        raise StateError(f"the mark of a task comes and goes: its ttl of {self._ttl} s is too short for the store")

    def withdraw(self, message: Message) -> None:
        """Forget a message that could not be sent, so that it can be published again."""
        key = self._mark(message)
        own = message.task_id.encode(errors="backslashreplace")
        if self._store.touch({key: own}, self._ttl):
            self._store.delete([key])

    def _mark(self, message: Message) -> str:
        name = self._queue_name or message.queue_name
        if not name:
            raise ConfigurationError("Deduplicate needs to know the queue: Deduplicate(store, ttl, queue_name=…)")
        return f"fsdf:deduplicate:{name}:{digest(message, self._key)}"
