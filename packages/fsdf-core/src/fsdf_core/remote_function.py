"""A function that runs in another process, and what runs it there."""

from __future__ import annotations

import functools
import pickle
import threading
from typing import TYPE_CHECKING, Any

from fsdf_core.context import current_message
from fsdf_core.coroutines import is_async
from fsdf_core.errors import ConfigurationError, EncodeError
from fsdf_core.host import Abandoned
from fsdf_core.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.pool import RemotePool


class RemoteFunction:
    """Stands in for a task's function in a pool that runs calls elsewhere; called in the pool's own threads.

    There, `current_message` is a copy of the message. An `async def` function runs on a loop of its process.

    Args:
        function: found there as pickle finds it: by its module and name, or by its own `__reduce__`.
        pool: what runs it.

    Raises:
        ConfigurationError: pickle cannot tell where it is found.
    """

    def __init__(self, function: Callable[..., Any], pool: RemotePool) -> None:
        self.__qualname__ = getattr(function, "__qualname__", repr(function))
        self._run = pool.run
        self._given_up = pool.given_up
        try:
            self._address = pickle.dumps(function)
        except Exception as error:
            raise ConfigurationError(
                f"another process cannot find {self.__qualname__}: {error}; {type(pool).__name__} runs functions from "
                "the top level of a module"
            ) from error
        # Imports can take seconds, which are not the first task's.
        pool.warm_up(load, self._address)

    def __call__(self, /, *args: Any, **arguments: Any) -> Any:
        """Run it there.

        Raises:
            EncodeError: an argument cannot be sent there.
            Abandoned: the pool was closed before the call had ended.
            BaseException: what the function raised.
        """
        message = current_message.get() or Message(arguments, {})
        about = message.extra, message.queue_name, message.attempt
        try:
            parcel = pickle.dumps((about, args, arguments), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise EncodeError(
                f"{self.__qualname__}: an argument cannot be sent to another process: {error}; push plain data, or "
                "run it in threads"
            ) from error
        try:
            return self._run(call_here, self._address, parcel)
        except self._given_up:
            raise Abandoned from None


def call_here(address: bytes, parcel: bytes) -> Any:
    """Run a function in this process, for a `RemoteFunction` of another one.

    Args:
        address: the pickled function.
        parcel: the pickled message and arguments.
    """
    function, awaits = _found(address)
    (extra, queue_name, attempt), args, arguments = pickle.loads(parcel)  # noqa: S301 - from our own consumer
    message = Message(arguments, extra, queue_name=queue_name)
    message.attempt = attempt
    before = current_message.task.set(message)
    try:
        result = function(*args, **arguments)
        return _loops().run(result) if awaits else result
    finally:
        current_message.task.reset(before)


def load(address: bytes) -> None:
    """Import a function."""
    _found(address)


@functools.cache
def _found(address: bytes) -> tuple[Callable[..., Any], bool]:
    function = pickle.loads(address)  # noqa: S301 - from our own consumer
    return function, is_async(function)


@functools.cache
def _loops() -> Any:
    from fsdf_core.thread_loops import ThreadLoops  # noqa: PLC0415 - asyncio is slow to import

    return ThreadLoops(None, threading.Event())
