"""When the runs of messages began and ended."""

from __future__ import annotations

from threading import get_ident
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from fsdf_core.batch import BatchMessage, members_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.message import Message


class Run(NamedTuple):
    """One call: begin and end in seconds since the epoch, what it raised, and the thread it ended in."""

    began: float
    ended: float
    error: BaseException | None
    thread: int


class RunTimes:
    """Notes the runs of each message until they are taken."""

    def __init__(self) -> None:
        self._began: dict[Message, float] = {}
        self._ended: dict[Message, tuple[Run, ...]] = {}

    def around(self, call: Call) -> Call:
        """Note each call."""
        began, ended = self._began, self._ended

        def noted(message: Message) -> Any:
            now = time()
            if whole := isinstance(message, BatchMessage):
                began.update(dict.fromkeys(message.members, now))
            else:
                began[message] = now
            try:
                result = call(message)
            except BaseException as error:
                self._end(message, now, error)
                raise
            if whole or message in ended:
                self._end(message, now, None)
            elif began.pop(message, None) is not None:  # else it was abandoned, and taken meanwhile
                ended[message] = (Run(now, time(), None, get_ident()),)
            return result

        return noted

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """`around` for `async def` functions."""

        async def noted(message: Message) -> Any:
            now = time()
            for member in members_of(message):
                self._began[member] = now
            try:
                result = await call(message)
            except BaseException as error:
                self._end(message, now, error)
                raise
            self._end(message, now, None)
            return result

        return noted

    def take(self, message: Message) -> Sequence[Run]:
        """Return and forget a message's runs."""
        runs: tuple[Run, ...] = self._ended.pop(message, ())
        if (began := self._began.pop(message, None)) is not None:  # it was abandoned
            runs = (*runs, Run(began, time(), None, 0))
        return runs

    def running(self, before: float) -> list[tuple[Message, float]]:
        """Return what runs now and began before a time."""
        return [(message, began) for message, began in list(self._began.items()) if began < before]

    def clear(self) -> None:
        """Forget all."""
        self._began.clear()
        self._ended.clear()

    def _end(self, message: Message, began: float, error: BaseException | None) -> None:
        now = time()
        for member in members_of(message):
            # Gone if it was abandoned and taken meanwhile.
            if self._began.pop(member, None) is not None:
                self._ended[member] = (*self._ended.get(member, ()), Run(began, now, error, get_ident()))
