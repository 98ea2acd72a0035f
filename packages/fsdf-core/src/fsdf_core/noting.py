"""Notes each run of a message, when it was and what it returned, for controls that want that."""

from __future__ import annotations

from threading import get_ident
from time import time
from typing import TYPE_CHECKING, Any

from fsdf_core.message import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.message import Message

    Running = dict[Message, float]


def noting(call: Call, running: Running) -> Call:
    """Return the call, around which runs are noted.

    Args:
        call: what runs the function.
        running: gets the messages whose runs have not ended, with their beginnings.
    """

    def noted(message: Message) -> Any:
        if message.began:
            _note_repeated(message)
        message.thread = get_ident()
        running[message] = message.began = time()
        try:
            message.result = call(message)
        except BaseException as error:
            _note_failure(message, error)
            raise
        else:
            return message.result
        finally:
            message.ended = time()
            running.pop(message, None)

    return noted


def noting_async(call: AsyncCall, running: Running) -> AsyncCall:
    """As `noting`, for `async def` functions."""

    async def noted(message: Message) -> Any:
        if message.began:
            _note_repeated(message)
        message.thread = get_ident()
        running[message] = message.began = time()
        try:
            message.result = await call(message)
        except BaseException as error:
            _note_failure(message, error)
            raise
        else:
            return message.result
        finally:
            message.ended = time()
            running.pop(message, None)

    return noted


def noting_members(call: Call, running: Running, members_of: Callable[[Message], Sequence[Message]]) -> Call:
    """As `noting`, of each message that a call stands for."""

    def noted(message: Message) -> Any:
        members = members_of(message)
        _begin(members, running)
        try:
            return call(message)
        except BaseException as error:
            for member in members:
                _note_failure(member, error)
            raise
        finally:
            _end(members, running)

    return noted


def noting_members_async(
    call: AsyncCall, running: Running, members_of: Callable[[Message], Sequence[Message]]
) -> AsyncCall:
    """As `noting_members`, for `async def` functions."""

    async def noted(message: Message) -> Any:
        members = members_of(message)
        _begin(members, running)
        try:
            return await call(message)
        except BaseException as error:
            for member in members:
                _note_failure(member, error)
            raise
        finally:
            _end(members, running)

    return noted


def runs_of(message: Message, now: float) -> Sequence[Run]:
    """Return a message's runs, in order.

    Args:
        message: one that was settled.
        now: the end of a run that has none, because the message was settled without it.
    """
    if not message.began:
        return ()
    if message.earlier and message.earlier[-1].began == message.began:
        return message.earlier
    return (*message.earlier, Run(message.began, message.ended or now, None, message.thread))


def _begin(members: Sequence[Message], running: Running) -> None:
    now, thread = time(), get_ident()
    for member in members:
        if member.began:
            _note_repeated(member)
        member.thread = thread
        running[member] = member.began = now


def _end(members: Sequence[Message], running: Running) -> None:
    now = time()
    for member in members:
        member.ended = now
        running.pop(member, None)


def _note_failure(message: Message, error: BaseException) -> None:
    message.earlier = (*message.earlier, Run(message.began, time(), error, message.thread))


def _note_repeated(message: Message) -> None:
    """Keep a run that is followed by another one, if it is not kept for what it raised."""
    if not message.earlier or message.earlier[-1].began != message.began:
        message.earlier = (*message.earlier, Run(message.began, message.ended, None, message.thread))
    message.ended = 0.0
