"""An asyncio event loop, and the thread that runs it if nobody else does."""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_STARTING = 10.0
"""Seconds that a new thread has to begin."""

_LEFT = 1.0
"""Seconds that tasks which nobody waits for have to end by themselves, and again when cancelled."""


class LoopThread:
    """Runs a loop in a thread of its own, started when first used.

    A loop that somebody else made is run here only if nobody runs it; it is never closed here.

    Args:
        name: of the thread.
        loop: somebody's loop; None makes one, uvloop's if that is installed.
        run: False leaves it to the owner of `loop` to run it.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop | None = None, *, run: bool = True) -> None:
        self._name = name
        self._given = loop
        self._may_run = run
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._forgotten: weakref.finalize[..., LoopThread] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; after this, it runs, or its owner has to run it.

        Raises:
            RuntimeError: somebody has closed it.
        """
        loop = self._loop
        return self._start() if loop is None else loop

    def start(self) -> None:
        """Run the loop from now on, if nobody does."""
        self._start()

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function in the loop's thread, soon.

        Raises:
            RuntimeError: the loop is closed.
        """
        self.loop.call_soon_threadsafe(function, *arguments)

    @property
    def inside(self) -> bool:
        """Whether the calling thread is the one that runs the loop."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    @property
    def running(self) -> bool:
        """Whether anybody runs the loop."""
        loop = self._loop
        return loop is not None and loop.is_running()

    def stop(self, timeout: float) -> None:
        """End the thread, if it is ours, and close the loop, if it is ours. A later use starts anew.

        What calls have left on the loop has a second to end. Then it is cancelled, if the loop is ours.
        """
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
            if self._forgotten is not None:
                self._forgotten.detach()
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(self._end, loop)
        if thread is threading.current_thread():
            return
        thread.join(timeout)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the loop's run when what is left on it has ended; in its thread."""
        ending = loop.create_task(_finish(loop, own=self._given is None))
        ending.add_done_callback(lambda _: loop.stop())

    def renew(self) -> None:
        """Forget everything, in a forked child: the thread is the parent's."""
        self._lock = threading.Lock()
        self._loop = self._thread = None
        if self._forgotten is not None:
            self._forgotten.detach()

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is not None:
                return self._loop
            loop = self._given or new_loop()
            if loop.is_closed():
                raise RuntimeError("the event loop is closed: give an open one")
            if self._may_run and not loop.is_running():
                begun, own = threading.Event(), self._given is None
                # Not with the thread's own call: a loop that stops at once would leave nothing to wait for.
                loop.call_soon_threadsafe(begun.set)
                self._thread = threading.Thread(target=_run, args=(loop, own), name=self._name, daemon=True)
                self._thread.start()
                begun.wait(_STARTING)
                self._forgotten = weakref.finalize(self, _dismiss, loop)
                self._forgotten.atexit = False
            self._loop = loop
            return loop


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop: uvloop's if that is installed."""
    if sys.platform != "win32":
        try:
            import uvloop  # noqa: PLC0415 - optional
        except ImportError:
            pass
        else:
            made: asyncio.AbstractEventLoop = uvloop.new_event_loop()
            return made
    return asyncio.new_event_loop()


async def _finish(loop: asyncio.AbstractEventLoop, *, own: bool) -> None:
    mine = asyncio.current_task()
    if left := [task for task in asyncio.all_tasks() if task is not mine]:
        await asyncio.wait(left, timeout=_LEFT)
    if not own:
        return
    if left := [task for task in asyncio.all_tasks() if task is not mine]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=_LEFT)
    await loop.shutdown_asyncgens()


def _dismiss(loop: asyncio.AbstractEventLoop) -> None:
    """End the run of a loop whose pool was dropped without being closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)


def _run(loop: asyncio.AbstractEventLoop, own: bool) -> None:  # noqa: FBT001 - a thread's target
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        asyncio.set_event_loop(None)
        if own:
            loop.close()
