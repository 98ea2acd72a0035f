"""Calls of what waits in C, in real threads, while only the greenlet that asks waits."""

from __future__ import annotations

import os
from typing import Any, Protocol, TypeVar

from fsdf_core.green.native import patched_by

T = TypeVar("T")

MOST = 1000
"""Threads for such calls, at most; each consumer keeps one waiting for messages."""


class NativeCalls(Protocol):
    """Runs a function in a thread of the operating system; at once in its caller if that is in one already."""

    def __call__(self, function: Any, /, *arguments: Any) -> Any:
        """Return what `function(*arguments)` returns, or raise what it raises."""
        ...


def native_calls() -> NativeCalls | None:
    """Return the process's one; None if nothing is patched."""
    library = patched_by()
    if library is None:
        return None
    key = library, os.getpid()  # a forked child has none of its parent's threads
    if key not in _open:
        if library == "gevent":
            from fsdf_core.green.gevent_calls import GeventCalls  # noqa: PLC0415 - only where it is installed

            _open[key] = GeventCalls()
        else:
            from fsdf_core.green.eventlet_calls import EventletCalls  # noqa: PLC0415 - as above

            _open[key] = EventletCalls()
    return _open[key]


_open: dict[tuple[str, int], NativeCalls] = {}


class Outcome:
    """What became of a call; made in the thread, asked in the greenlet."""

    __slots__ = ("_error", "_result")

    def __init__(self, function: Any, arguments: tuple[Any, ...]) -> None:
        self._result = self._error = None
        try:
            self._result = function(*arguments)
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
            self._error = error

    def get(self) -> Any:
        """Return the result, or raise the error."""
        error = self._error
        if error is not None:
            self._error = None
            raise error
        return self._result
