"""Tell the user's own function how each task went."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any

from fsdf_core.batch import members_of
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import Control
from fsdf_core.green.calls import native_calls
from fsdf_core.task_status import task_status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.clock import Clock
    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.outcome import Outcome
    from fsdf_core.task_status import FunctionResultStatus


class RunReport(Control):
    """Calls `callback(status)` in the worker before a task's message is settled, whatever becomes of it.

    A retry in the worker is no end of the task; one on the queue is, so it is reported each time.

    An `async def` callback is run to its end; on a thread that has a running event loop it becomes a task there.
    What a callback raises is logged and harms nothing else.

    Args:
        callback: takes a `FunctionResultStatus`; sync or async.
        function: the task's name, for the status; default "".
        clock: default the system's.

    Raises:
        TypeError: the callback cannot be called.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.outcome import Outcome
        >>> report = RunReport(lambda status: print(status.function, status.success, status.exception))
        >>> report.on_outcome(Message({}, {"task_id": "t"}), Outcome(False, None, OSError("gone"), 1, None))
         False OSError    gone
    """

    def __init__(
        self, callback: Callable[[FunctionResultStatus], Any], function: str = "", *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        if not callable(callback):
            raise TypeError(f"a callback that takes a FunctionResultStatus is needed, not {callback!r}")
        self._callback = callback
        self._function = function
        self._clock = clock
        self._queue_name = ""
        self._logger = logging.getLogger("fsdf.control")
        self._times: dict[Message, tuple[float, float | None]] = {}
        self._reports: set[asyncio.Task[None]] = set()

    def start(self, host: Host) -> None:
        """Learn the queue's name."""
        self._queue_name, self._logger = host.queue.name, host.logger
        self._times.clear()

    def around(self, call: Call) -> Call:
        """Note when the run begins and ends."""

        def noted(message: Message) -> Any:
            self._begin(message)
            try:
                return call(message)
            finally:
                self._end(message)

        return noted

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """`around` for `async def` functions."""

        async def noted(message: Message) -> Any:
            self._begin(message)
            try:
                return await call(message)
            finally:
                self._end(message)

        return noted

    def on_outcome(self, message: Message, outcome: Outcome) -> None:
        """Report."""
        began, ended = self._times.pop(message, (None, None))
        status = task_status(
            message,
            outcome,
            queue_name=self._queue_name,
            function=self._function,
            time_start=began,
            time_end=self._clock.time() if ended is None else ended,
        )
        try:
            answer = self._callback(status)
            if inspect.isawaitable(answer):
                self._finish(answer, status.task_id)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            self._complain(status.task_id, error)

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Forget runs without an outcome: the consumer stopped before the next attempt."""
        for message in messages:
            self._times.pop(message, None)

    def _begin(self, message: Message) -> None:
        now = self._clock.time()
        for member in members_of(message):
            self._times[member] = (now, None)

    def _end(self, message: Message) -> None:
        now = self._clock.time()
        for member in members_of(message):
            # Gone if it was abandoned and reported meanwhile.
            if (times := self._times.get(member)) is not None:
                self._times[member] = (times[0], now)

    def _finish(self, answer: Any, task_id: str) -> None:
        async def finished() -> None:
            try:
                await answer
            except Exception as error:  # noqa: BLE001 - as above
                self._complain(task_id, error)

        if (calls := native_calls()) is not None:
            # All greenlets share a thread, and that can run one loop.
            calls(asyncio.run, finished())
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(finished())
            return
        report = loop.create_task(finished())
        self._reports.add(report)
        report.add_done_callback(self._reports.discard)

    def _complain(self, task_id: str, error: Exception) -> None:
        self._logger.error("task %s: the function that is told of each task failed", task_id, exc_info=error)
