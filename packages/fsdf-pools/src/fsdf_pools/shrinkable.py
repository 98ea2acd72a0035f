"""The thread pool that grows when work waits and shrinks when it does not."""

from __future__ import annotations

import weakref
from concurrent.futures import Executor, Future
from itertools import repeat
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf_pools.call import fulfil, withdraw
from fsdf_pools.crew import Crew
from fsdf_pools.errors import PoolClosedError
from fsdf_pools.registry import CREWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_pools.call import Item

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_MAX_WORKERS = 50
"""Workers at most where no number is given."""


class ShrinkableThreadPoolExecutor(Executor):
    """Runs calls in daemon threads, as few as the work needs.

    A thread starts only when work waits and no worker is free: blocked workers make the pool double
    within milliseconds, quick calls never do. So `max_workers=1_000_000` costs nothing by itself.
    When the interpreter exits, what was submitted is finished first; idle workers delay nothing.
    A forked child gets the pool empty and ready; what is queued stays with the parent.

    Args:
        max_workers: The most threads at a time, at least 1. Default 50.
        min_workers: So many threads stay when idle, once they were needed. Default 0.
        keep_alive: Seconds until an idle thread above `min_workers` ends. Default 10.
        queue_size: The most items that wait for a thread; then `submit` and `execute` block.
            Default 0: no limit.
        thread_name_prefix: Threads are named `<prefix>-<number>`. Default "fsdf-pool".

    Raises:
        ValueError: A number is out of its range.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        min_workers: int = 0,
        keep_alive: float = 10.0,
        queue_size: int = 0,
        thread_name_prefix: str = "fsdf-pool",
    ) -> None:
        if max_workers is None:
            max_workers = max(DEFAULT_MAX_WORKERS, min_workers)
        _check_at_least(1, max_workers=max_workers)
        _check_at_least(0, min_workers=min_workers, keep_alive=keep_alive, queue_size=queue_size)
        if min_workers > max_workers:
            msg = f"min_workers ({min_workers}) is more than max_workers ({max_workers})"
            raise ValueError(msg)
        self._crew = Crew(max_workers, min_workers, keep_alive, queue_size, thread_name_prefix)
        CREWS.add(self._crew)
        weakref.finalize(self, self._crew.close).atexit = False

    # -- work ------------------------------------------------------------------------------------

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` in a worker; wait for room while a bounded queue is full.

        Args:
            fn: The callable.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.

        Returns:
            The Future of the call's result.

        Raises:
            PoolClosedError: The pool was shut down, maybe during the wait. A `RuntimeError`.
            NoThreadError: The system refused the very first thread. A `RuntimeError`.
        """
        future: Future[T] = Future()
        self._add((fulfil, (future, fn, args, kwargs)), None)
        return future

    def submit_within(self, timeout: float, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Like `submit`, but wait for room no longer than given.

        Args:
            timeout: Seconds to wait for room in a bounded queue, 0 to try only.
            fn: The callable.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.

        Returns:
            The Future of the call's result.

        Raises:
            PoolFullError: There was no room in time; nothing was queued. A `queue.Full`.
            PoolClosedError: The pool was shut down, maybe during the wait. A `RuntimeError`.
            NoThreadError: The system refused the very first thread. A `RuntimeError`.
        """
        future: Future[T] = Future()
        self._add((fulfil, (future, fn, args, kwargs)), timeout)
        return future

    def execute(self, fn: Callable[..., object], /, *args: Any) -> None:
        """Run `fn(*args)` in a worker without a Future; wait for room while a bounded queue is full.

        What the call returns is dropped; what it raises is logged with its traceback at ERROR on
        the logger "fsdf.pools".

        Args:
            fn: The callable.
            *args: Its positional arguments.

        Raises:
            PoolClosedError: The pool was shut down, maybe during the wait. A `RuntimeError`.
            NoThreadError: The system refused the very first thread. A `RuntimeError`.
        """
        crew = self._crew
        item = (fn, args)
        if crew.gated:
            self._add(item, None)
            return
        crew.items.append(item)
        if not crew.waking and (crew.parked or crew.may_grow):
            crew.summon(item)

    def execute_many(self, call: Callable[[], object], count: int) -> None:
        """Run `call()` `count` times like `execute`, queued in one go.

        Never waits and passes over `queue_size`: it is for a dispatcher that keeps its own bound
        with `free_slots()`.

        Args:
            call: A callable without arguments.
            count: How many times; nothing happens below 1.

        Raises:
            PoolClosedError: The pool was shut down. A `RuntimeError`.
            NoThreadError: The system refused the very first thread. A `RuntimeError`.
        """
        crew = self._crew
        if crew.closed:
            raise self._closed_error()
        item: Item = (call, ())
        crew.items.extend(repeat(item, count))
        if count > 0 and not crew.waking and (crew.parked or crew.may_grow):
            crew.summon(item)

    def _add(self, item: Item, timeout: float | None) -> None:
        crew = self._crew
        if crew.closed:
            raise self._closed_error()
        if not crew.room:
            crew.items.append(item)
        elif not crew.room.put(item, timeout):
            raise self._closed_error()
        if not crew.waking and (crew.parked or crew.may_grow):
            crew.summon(item)

    def _closed_error(self) -> PoolClosedError:
        return PoolClosedError(
            f"the pool {self._crew.name!r} accepts no more work: it was shut down, or Python is exiting"
        )

    # -- size and end ----------------------------------------------------------------------------

    def resize(self, max_workers: int) -> None:
        """Change the most threads. Surplus ones end after the call that they run.

        A number below `min_workers` is the limit of both.

        Args:
            max_workers: The new number, at least 1.

        Raises:
            ValueError: The number is below 1.
        """
        _check_at_least(1, max_workers=max_workers)
        self._crew.resize(max_workers)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor
        """Accept no more work; what is queued still runs unless cancelled.

        Called by one of the pool's own workers, it waits for the others only.

        Args:
            wait: Return only when all workers have ended. Default True.
            cancel_futures: Drop what has not begun: Futures are cancelled, `execute` items forgotten.
                Default False.
        """
        self._stop_accepting()
        if cancel_futures:
            self._drop_queued()
        if wait:
            self._crew.join(None)

    def close(self, timeout: float | None = None) -> bool:
        """Accept no more work and let what is queued and running finish for a while.

        Whatever the outcome, the work goes on; `shutdown(wait=False, cancel_futures=True)` drops
        what has not begun.

        Args:
            timeout: Seconds to wait at most. Default None: no limit.

        Returns:
            True if everything is done and all workers have ended.
        """
        self._stop_accepting()
        return self._crew.join(timeout)

    def _stop_accepting(self) -> None:
        self._crew.close()
        if self._crew.room:
            self._crew.room.close()

    def _drop_queued(self) -> None:
        items = self._crew.items
        while items:
            try:
                fn, args = items.popleft()
            except IndexError:
                return
            if fn is fulfil:
                withdraw(args[0])

    # -- numbers ---------------------------------------------------------------------------------

    def free_slots(self) -> int:
        """How many more calls could start now: `max_workers - busy - queued`, never below 0.

        A call counts until its worker has looked for the next one, so a call that reports its own
        end is still counted at that moment.
        """
        return max(0, self.max_workers - self.busy - self.queued)

    @property
    def max_workers(self) -> int:
        """The most threads."""
        return self._crew.max_workers

    @property
    def min_workers(self) -> int:
        """So many threads stay when idle."""
        return self._crew.min_workers

    @property
    def workers(self) -> int:
        """The threads there are now."""
        return len(self._crew.members)

    @property
    def idle(self) -> int:
        """Workers that sleep because nothing waits."""
        return len(self._crew.parked)

    @property
    def busy(self) -> int:
        """Workers that are awake: they run a call, or are about to take one."""
        return max(0, self.workers - self.idle)

    @property
    def queued(self) -> int:
        """Items that wait for a worker."""
        return len(self._crew.items)


def _check_at_least(least: int, **numbers: float) -> None:
    for name, number in numbers.items():
        if not number >= least:
            msg = f"{name} must be at least {least}, not {number!r}"
            raise ValueError(msg)
