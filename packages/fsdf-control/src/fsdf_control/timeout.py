"""End a task that takes too long."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from fsdf_control.interruption import Interruption, Terms
from fsdf_control.number_option import NumberOption
from fsdf_control.watchdog import Watchdog
from fsdf_core.batch import BatchMessage
from fsdf_core.control import Control
from fsdf_core.errors import TaskTimeout

if TYPE_CHECKING:
    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message

OVERRIDE = "function_timeout"
"""Key of a message's `extra`, in seconds, that goes before the control's; 0 is no limit."""

DEFAULT_GRACE = 1.0


class Timeout(Control):
    """Ends a task that runs for longer than it may; it fails with `TaskTimeout`, which is retried as any other error.

    Each attempt has the whole time; waits between attempts do not count. The error stands where the function was
    when its time was over. A `TimeoutError` of the function itself is the function's own.

    In a thread the function is ended by an exception between two of its bytecodes, in a coroutine by cancellation.
    So `finally` blocks run, `except Exception` does not stop it, and code that waits in C (`time.sleep`, a lock, a
    database driver) ends only when it returns. If that is later than the grace, the task counts as failed at once,
    and another worker takes the place of the stuck one until that ends; the log says where it is stuck. In a pool
    without threads there is no other worker: nothing runs until the stuck task ends. In a pool of processes the
    task's process is killed, whatever it does, and a new one takes its place; nothing of it is cleaned up.

    An exception can come at any line: give what a task calls timeouts of its own where it has them, and set this
    one higher. Within the grace it comes up to four times; a clean-up has a quarter of the grace until the next.

    A micro-batch ends with the shortest limit of its calls; those without a limit do not count.

    Args:
        seconds: how long a task may run; None or 0: no limit, but for messages that have one. A message's
            `extra["function_timeout"]` goes first.
        grace: seconds that a task has to end when its time is over; default 1.

    Raises:
        ValueError: a number is negative or not finite.

    Example:
        >>> from fsdf_core.message import Message
        >>> rule = Timeout(10)
        >>> rule.limit(Message({}, {})), rule.limit(Message({}, {"function_timeout": 0.5}))
        (10, 0.5)
    """

    def __init__(self, seconds: float | None, grace: float = DEFAULT_GRACE) -> None:
        if not 0 <= (seconds or 0) < math.inf or not 0 <= grace < math.inf:
            raise ValueError(
                f"a timeout needs seconds >= 0 (0 or None is no limit) and grace >= 0, not {seconds} and {grace}"
            )
        self._seconds = seconds or 0
        self.around_options_only = not seconds
        self._grace = grace
        self._option = NumberOption(OVERRIDE)
        self._watchdog: Watchdog | None = None

    def start(self, host: Host) -> None:
        """Watch from now on."""
        self._option.logger = host.logger
        self._watchdog = Watchdog(Terms(host, self._grace, _too_long))

    def stop(self) -> None:
        """End the watchdog; tasks that still run are left alone."""
        if self._watchdog is not None:
            self._watchdog.stop()

    def limit(self, message: Message) -> float:
        """How many seconds the message's task may run; 0 for no limit. Of a batch, the least that a member may."""
        own = self._option.of
        if not isinstance(message, BatchMessage):
            return own(message, self._seconds)
        return min((limit for member in message.members if (limit := own(member, self._seconds))), default=0.0)

    def _is_free(self, message: Message) -> bool:
        """Whether nobody has set a limit: the usual case, and quicker to see than which one."""
        return not self._seconds and OVERRIDE not in message.extra and not isinstance(message, BatchMessage)

    def around(self, call: Call) -> Call:
        """Watch each call that has a limit."""
        limit, free = self.limit, self._is_free

        def limited(message: Message) -> Any:
            if free(message):
                return call(message)
            seconds = limit(message)
            watchdog = self._watchdog
            if not seconds or watchdog is None:
                return call(message)
            watchdog.terms.prepare()
            running = Interruption(message, time.monotonic() + seconds, seconds, watchdog.terms)
            try:
                watchdog.watch(running)
                return running.run(call)
            finally:
                watchdog.forget(running)

        return limited

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """Watch each call that has a limit."""
        # Only here, because asyncio is slow to import.
        from fsdf_control.cancellation import Cancellation  # noqa: PLC0415

        async def limited(message: Message) -> Any:
            if self._is_free(message):
                return await call(message)
            seconds = self.limit(message)
            watchdog = self._watchdog
            if not seconds or watchdog is None:
                return await call(message)
            running = Cancellation(message, time.monotonic() + seconds, seconds, watchdog.terms)
            try:
                watchdog.watch(running)
                return await running.run_async(call)
            finally:
                watchdog.forget(running)

        return limited


def _too_long(call: Interruption) -> TaskTimeout:
    return TaskTimeout(f"ran for longer than {call.limit:g} s")
