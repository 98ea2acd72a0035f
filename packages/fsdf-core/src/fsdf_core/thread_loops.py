"""How a thread runs `async def` functions."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any

from fsdf_core.host import Abandoned

if TYPE_CHECKING:
    from collections.abc import Coroutine

_LOOK_EVERY = 0.5
"""Seconds between two looks of a thread that waits for a shared loop at whether that still runs."""


class ThreadLoops:
    """Runs coroutines to their end in the threads that ask: each thread has a loop of its own.

    Args:
        loop: run them there instead, in somebody's loop that runs in another thread; the asking thread waits.
        stopping: set when the consumer stops; from then on nobody waits for a loop that does not run.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None, stopping: threading.Event) -> None:
        self._shared = loop
        self._stopping = stopping
        self._own = threading.local()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Return the coroutine's result, or raise what it raises.

        Raises:
            Abandoned: the consumer stops, and the shared loop does not run any more.
        """
        if self._shared is not None:
            return self._run_there(coroutine, self._shared)
        holder: _Loop | None = getattr(self._own, "holder", None)
        if holder is None or holder.loop.is_closed():
            holder = self._own.holder = _Loop()
        try:
            return holder.loop.run_until_complete(coroutine)
        finally:
            if asyncio.all_tasks(holder.loop):
                # An exception from another thread broke off the run, or the coroutine has left tasks behind:
                # they must not go on during the next message.
                holder.close()

    def _run_there(self, coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            while not wait([future], _LOOK_EVERY).done:
                if self._stopping.is_set() and not loop.is_running():
                    raise Abandoned
            return future.result()
        except BaseException:
            if not loop.is_closed():
                future.cancel()
            raise


class _Loop:
    """A loop that closes with the thread that owns it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Cancel what is left, and close."""
        loop = self.loop
        if loop.is_closed():
            return
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def __del__(self) -> None:
        if not self.loop.is_closed() and not self.loop.is_running():
            self.loop.close()
