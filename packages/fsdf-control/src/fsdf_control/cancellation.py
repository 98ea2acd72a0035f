"""Stop a running coroutine: the same patience as for threads, with asyncio's cancellation."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from fsdf_control.interruption import Interruption

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from fsdf_control.interruption import Terms
    from fsdf_core.control import AsyncCall
    from fsdf_core.message import Message


class Cancellation(Interruption):
    """One call in one asyncio task that may have to end early; made in that task.

    Cancelled is the task that runs the call. A cancellation from outside stays one: it passes through, also if it
    meets the call's own deadline (from Python 3.11 on). A coroutine that blocks the event loop, or swallows
    cancellations, is stuck when its grace is over.

    Args:
        message: what is run.
        due: monotonic time from which the call is to end; `math.inf` for not yet.
        limit: the seconds that the call may run, for the error's text.
        terms: of the control.
    """

    __slots__ = ("_awaited", "_cancels", "_ended", "_loop", "_others", "_task")

    def __init__(self, message: Message, due: float, limit: float, terms: Terms) -> None:
        super().__init__(message, due, limit, terms)
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._others = self._cancelling()
        self._cancels = 0
        self._ended = False
        self._awaited: Any = None

    async def run_async(self, call: AsyncCall) -> Any:
        """Run the call.

        Raises:
            Abandoned: its message was settled before it ended.
            CancelledError: the task was cancelled from outside.
            BaseException: the error of the interruption, or what the call raised.
        """
        outside = False
        try:
            try:
                self._awaited = call(self.message)
                self._open = True
                result = await self._awaited
            finally:
                self._ended = True
                self._claim.acquire()
                self._awaited = None
                outside = self._uncancel()
        except BaseException as cause:
            if self._error is None or (outside and isinstance(cause, asyncio.CancelledError) and not self._abandoned):
                raise
            ending = self._ending(cause)
            if ending is cause:
                raise
            raise ending from (None if isinstance(cause, asyncio.CancelledError) else cause)
        if self._error is not None:
            raise self._ending(None)
        return result

    def _cancelling(self) -> int:
        return self._task.cancelling() if self._task is not None and sys.version_info >= (3, 11) else 0

    def _uncancel(self) -> bool:
        """Take back the task's own count of the cancellations from here; True if there are others."""
        if sys.version_info >= (3, 11) and self._task is not None:
            for _ in range(self._cancels):
                self._task.uncancel()
        return self._cancelling() > self._others

    def _hit(self) -> bool:
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            return False  # the loop is closed
        return self._task is not None

    def _cancel(self) -> None:
        # In the loop's thread, so never between the end of the call and what follows in its task.
        if not self._ended and self._task is not None:
            self._cancels += 1
            self._task.cancel()

    def _frames(self) -> Sequence[FrameType]:
        frames: list[FrameType] = []
        awaited = self._awaited
        while (frame := getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)) is not None:
            frames.append(frame)
            awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
        return frames
