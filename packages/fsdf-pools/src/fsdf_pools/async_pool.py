"""The pool of coroutines: all in one event loop, which one thread runs."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf_pools.errors import PoolClosedError
from fsdf_pools.log import log_failure
from fsdf_pools.loop_thread import LoopThread
from fsdf_pools.registry import CREWS
from fsdf_pools.task_start import starter

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from typing_extensions import Self

    from fsdf_pools.task_start import Start

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_MAX_WORKERS = 50
_LOOP_END = 5.0
"""Seconds that the loop's thread has to end."""

_BURST = 100
"""Most tasks begun before others on the loop have their turn."""


class AsyncPool:
    """Runs coroutines, at most `max_workers` of them at a time, each in an asyncio task and context of its own.

    All run in one loop; what is handed over or ends meanwhile costs the other threads nothing but a wake-up for
    a whole batch. A coroutine that blocks the loop delays the others, and nobody else. A forked child gets the
    pool empty and ready.

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
        self._ended = 0
        self._closed = False
        self._quiet = threading.Condition()
        # The rest is touched in the loop's thread only.
        self._queued: deque[Callable[[], Coroutine[Any, Any, object]]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._start: Start | None = None
        self._going_on = False

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

    def execute_many(self, call: Callable[[], Coroutine[Any, Any, object]], count: int) -> None:
        """Run the coroutine of `call()` `count` times; never block.

        What a coroutine returns is dropped; what it raises is logged at ERROR on the logger "fsdf.pools".

        Args:
            call: An `async def` function without arguments.
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
            self._thread.call(self._take_in, call, count)
        except RuntimeError as error:
            with self._lock:
                self._added -= count
            raise PoolClosedError(f"the pool accepts no more work: {error}") from error

    def free_slots(self) -> int:
        """How many more coroutines could start now."""
        return max(0, self._max_workers - (self._added - self._ended))

    # -- size and end ----------------------------------------------------------------------------

    @property
    def max_workers(self) -> int:
        """The most coroutines at a time."""
        return self._max_workers

    @property
    def busy(self) -> int:
        """How many coroutines run."""
        return len(self._running)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._thread.loop

    def resize(self, max_workers: int) -> None:
        """Change the most coroutines at a time; running ones are left alone.

        Raises:
            ValueError: The number is below 1.
        """
        self._max_workers = _checked(max_workers)
        if self._added > self._ended:
            self._thread.call(self._fill)

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
                clean = self._quiet.wait_for(lambda: self._added == self._ended, timeout)
        if not clean and self._thread.running:
            self._thread.call(self._cancel_all)
            with self._quiet:
                self._quiet.wait_for(lambda: self._added == self._ended, 1.0)
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
        return self._added == self._ended or not self._thread.running

    def taken(self) -> int:
        """How many coroutines have ended."""
        return self._ended

    def lend_hand(self) -> None:
        """Nobody can: the loop has its thread."""

    def at_exit(self) -> None:
        """Close; cancel what Ctrl-C left running."""
        self.close(0.0)

    def after_fork(self) -> None:
        """Begin anew in a forked child: what was handed over runs in the parent."""
        self._thread.renew()
        self._begin()

    # -- in the loop's thread --------------------------------------------------------------------

    def _take_in(self, call: Callable[[], Coroutine[Any, Any, object]], count: int) -> None:
        self._queued.extend([call] * count)
        self._fill()

    def _fill(self) -> None:
        queued, running = self._queued, self._running
        start = self._start or self._choose_start()
        for _ in range(_BURST):
            if not queued or len(running) >= self._max_workers:
                break
            task = start(_logged(queued.popleft()))
            if task.done():
                self._ended += 1
            else:
                running.add(task)
                task.add_done_callback(self._done)
        else:
            if queued and not self._going_on:
                self._going_on = True
                self._thread.loop.call_soon(self._go_on)
        if self._closed and self._added == self._ended:
            with self._quiet:
                self._quiet.notify_all()

    def _go_on(self) -> None:
        self._going_on = False
        self._fill()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._ended += 1
        if self._queued or self._closed:
            self._fill()

    def _choose_start(self) -> Start:
        self._start = start = starter(self._thread.loop)
        return start

    def _cancel_all(self) -> None:
        self._ended += len(self._queued)
        self._queued.clear()
        for task in self._running:
            task.cancel()
        with self._quiet:
            self._quiet.notify_all()


async def _logged(call: Callable[[], Coroutine[Any, Any, object]]) -> None:
    try:
        await call()
    except asyncio.CancelledError:
        raise
    except BaseException:  # noqa: BLE001 - not even SystemExit may end the loop
        log_failure(call)


def _checked(max_workers: int) -> int:
    if max_workers < 1:
        raise ValueError(f"max_workers must be at least 1, not {max_workers}")
    return max_workers
