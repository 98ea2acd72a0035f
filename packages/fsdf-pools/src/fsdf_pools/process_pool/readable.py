"""Whether something can be read from a pipe, asked before each call: cheaper than `multiprocessing` asks."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection


def readable(connection: Connection) -> Callable[[float], bool]:
    """Return what waits so many seconds, at most a day, until something, or the end, can be read."""
    if not hasattr(select, "poll"):
        return connection.poll
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    ask = poller.poll
    return lambda seconds: bool(ask(int(seconds * 1000)))
