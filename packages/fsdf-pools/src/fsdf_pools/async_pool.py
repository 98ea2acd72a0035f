"""The pool of coroutines: all in one event loop, which one thread runs."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf_pools.coroutine_runners import CoroutineRunners
from fsdf_pools.errors import PoolClosedError
from fsdf_pools.loop_thread import LoopThread
from fsdf_pools.registry import CREWS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from typing_extensions import Self

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_MAX_WORKERS = 50
_LOOP_END = 5.0
"""Seconds that the loop's thread has to end."""


class AsyncPool:
    """Runs coroutines, at most `max_workers` of them at a time, each in an asyncio task and context of its own.

    The contexts are empty, whoever hands a coroutine over. All run in one loop; what is handed over or ends meanwhile
    costs the other threads nothing but a wake-up for a whole batch. A coroutine that blocks the loop delays the others,
    and nobody else. A forked child gets the pool empty and ready.

    Args:
        max_workers: The most coroutines at a time, at least 1. Default 50.
        loop: Runs them; if it is not running, the pool runs it in a thread. Default: a loop of the pool's own,
            uvloop's if that is installed.
        run_loop: False if the owner of `loop` will run it. Default True.
        thread_name_prefix: The thread is named `<prefix>-loop`. Default "fsdf-pool".

    Raises:
        ValueError: `max_workers` is below 1.
    """

    runs_coroutines = True
    bell: threading.Event | None = None

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        run_loop: bool = True,
        thread_name_prefix: str = "fsdf-pool",
    ) -> None:
        self._thread = LoopThread(f"{thread_name_prefix}-loop", loop, run=run_loop)
        self._max_workers = _checked(DEFAULT_MAX_WORKERS if max_workers is None else max_workers)
        self._begin()
        CREWS.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._added = 0
        self._closed = False
        self._quiet = threading.Condition()
        self._runners = CoroutineRunners(lambda: self._thread.loop, self._max_workers, self._left)

    # -- work ------------------------------------------------------------------------------------

    def submit(self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the coroutine of `fn(*args, **kwargs)`.

        Args:
            fn: An `async def` function.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.

        Returns:
            The Future of its result; cancelling it before the coroutine begins keeps it from running.

        Raises:
            PoolClosedError: The pool was closed. A `RuntimeError`.
        """
        future: Future[T] = Future()

        async def fulfil() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
                if isinstance(error, asyncio.CancelledError):
                    raise
            else:
                future.set_result(result)

        self.execute_many(fulfil, 1)
        return future

    def execute_many(self, call: Callable[[], Awaitable[object] | None], count: int) -> None:
        """Run `call()` `count` times and await what it returns, each time in a context of its own; never block.

        What comes of that is dropped; what it raises is logged at ERROR on the logger "fsdf.pools".

        Args:
            call: An `async def` function without arguments; or a function that returns something to await, or None
                if it has ended already.
            count: How many times; nothing happens below 1.

        Raises:
            PoolClosedError: The pool was closed, or its loop was. A `RuntimeError`.
        """
        if count < 1:
            return
        with self._lock:
            if self._closed:
                raise PoolClosedError("the pool accepts no more work: it was closed")
            self._added += count
        try:
            if self._thread.inside:
                self._runners.take_in(call, count)
            else:
                self._thread.call(self._runners.take_in, call, count)
        except RuntimeError as error:
            with self._lock:
                self._added -= count
            raise PoolClosedError(f"the pool accepts no more work: {error}") from error

    @property
    def as_new(self) -> Callable[[], bool]:
        """For a call that has just begun, in the loop's thread: whether its asyncio task is still as it was then.

        If it returns True, a second coroutine that the call awaits cannot tell the task from a new one: nobody has a
        reference to it, its name and its context are the same, it was not cancelled.
        """
        return self._runners.as_new

    def free_slots(self) -> int:
        """How many more coroutines could start now."""
        return max(0, self._max_workers - (self._added - self._runners.ended))

    # -- size and end ----------------------------------------------------------------------------

    @property
    def max_workers(self) -> int:
        """The most coroutines at a time."""
        return self._max_workers

    @property
    def busy(self) -> int:
        """How many coroutines run."""
        return len(self._runners.running)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._thread.loop

    def resize(self, max_workers: int) -> None:
        """Change the most coroutines at a time; running ones are left alone.

        Raises:
            ValueError: The number is below 1.
        """
        self._max_workers = self._runners.limit = _checked(max_workers)
        if self._added > self._runners.ended:
            self._thread.call(self._runners.fill)

    def close(self, timeout: float | None = None) -> bool:
        """Accept no more, wait for what runs, then cancel what is left and end the loop's thread.

        Args:
            timeout: Seconds to wait for what was handed over; None is no limit.

        Returns:
            True if all of it has ended by itself.
        """
        with self._lock:
            self._closed = True
        clean = True
        if not self._thread.inside:
            with self._quiet:
                clean = self._quiet.wait_for(lambda: self._added == self._runners.ended, timeout)
        if not clean and self._thread.running:
            self._thread.call(self._cancel_all)
            with self._quiet:
                self._quiet.wait_for(lambda: self._added == self._runners.ended, 1.0)
        self._thread.stop(_LOOP_END)
        return clean

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as Executor's
        """Close, as executors of the standard library do.

        Args:
            wait: Return when everything has ended; otherwise cancel it. Default True.
            cancel_futures: Cancel what runs, too. Default False.
        """
        self.close(None if wait and not cancel_futures else 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- for the registry ------------------------------------------------------------------------

    def quiet(self) -> bool:
        """Whether nothing is left that could still run."""
        return self._added == self._runners.ended or not self._thread.running

    def taken(self) -> int:
        """How many coroutines have ended."""
        return self._runners.ended

    def lend_hand(self) -> None:
        """Nobody can: the loop has its thread."""

    def at_exit(self) -> None:
        """Close; cancel what Ctrl-C left running."""
        self.close(0.0)

    def after_fork(self) -> None:
        """Begin anew in a forked child: what was handed over runs in the parent."""
        self._thread.renew()
        self._begin()

    def _left(self) -> None:
        if self._closed and self._added == self._runners.ended:
            with self._quiet:
                self._quiet.notify_all()

    def _cancel_all(self) -> None:
        self._runners.cancel_all()
        self._left()


def _checked(max_workers: int) -> int:
    if max_workers < 1:
        raise ValueError(f"max_workers must be at least 1, not {max_workers}")
    return max_workers
