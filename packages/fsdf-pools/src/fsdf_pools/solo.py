"""The pool without threads: every call runs in the thread that hands it over."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf_pools.call import fulfil
from fsdf_pools.errors import PoolClosedError
from fsdf_pools.log import log_failure

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class SoloExecutor(Executor):
    """Runs every call at once in its caller, with the interface of `ShrinkableThreadPoolExecutor`.

    Only `KeyboardInterrupt` passes through to the caller, since there it is the user's Ctrl-C;
    every other exception goes to the Future or to the log, as in a pool with threads.

    Args:
        max_workers: Accepted so that pools can be exchanged; there is always one slot. Default None.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        del max_workers
        self._running: list[int] = []
        self._changed = threading.Condition()
        self._closed = False

    # -- work ------------------------------------------------------------------------------------

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` now.

        Args:
            fn: The callable.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.

        Returns:
            A Future that is done.

        Raises:
            PoolClosedError: The pool was shut down. A `RuntimeError`.
            KeyboardInterrupt: The call was interrupted.
        """
        future: Future[T] = Future()
        self._enter()
        try:
            fulfil(future, fn, args, kwargs)
        finally:
            self._exit()
        error = future.exception()
        if isinstance(error, KeyboardInterrupt):
            raise error
        return future

    def submit_within(self, timeout: float, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Like `submit`: there is no queue whose room one could wait for.

        Args:
            timeout: Not used.
            fn: The callable.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.

        Returns:
            A Future that is done.

        Raises:
            PoolClosedError: The pool was shut down. A `RuntimeError`.
            KeyboardInterrupt: The call was interrupted.
        """
        del timeout
        return self.submit(fn, *args, **kwargs)

    def execute(self, fn: Callable[..., object], /, *args: Any) -> None:
        """Run `fn(*args)` now; log what it raises with its traceback on the logger "fsdf.pools".

        Args:
            fn: The callable.
            *args: Its positional arguments.

        Raises:
            PoolClosedError: The pool was shut down. A `RuntimeError`.
            KeyboardInterrupt: The call was interrupted.
        """
        self._enter()
        try:
            fn(*args)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - as in a pool with threads
            log_failure(fn)
        finally:
            self._exit()

    def execute_many(self, call: Callable[[], object], count: int) -> None:
        """Run `call()` `count` times, one after the other, like `execute`.

        Args:
            call: A callable without arguments.
            count: How many times; nothing happens below 1.

        Raises:
            PoolClosedError: The pool was shut down, maybe by one of the calls. A `RuntimeError`.
            KeyboardInterrupt: A call was interrupted.
        """
        for _ in range(count):
            self.execute(call)

    def _enter(self) -> None:
        if self._closed:
            msg = "the pool accepts no more work: it was shut down"
            raise PoolClosedError(msg)
        self._running.append(threading.get_ident())

    def _exit(self) -> None:
        self._running.remove(threading.get_ident())
        if self._closed:
            with self._changed:
                self._changed.notify_all()

    # -- size and end ----------------------------------------------------------------------------

    def resize(self, max_workers: int) -> None:
        """Do nothing: there is always one slot.

        Args:
            max_workers: At least 1, and without effect.

        Raises:
            ValueError: The number is below 1.
        """
        if max_workers < 1:
            msg = f"max_workers must be at least 1, not {max_workers!r}"
            raise ValueError(msg)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor
        """Accept no more work.

        Args:
            wait: Return only when calls in other threads have ended. Default True.
            cancel_futures: Without effect: nothing is ever queued. Default False.
        """
        del cancel_futures
        self._closed = True
        if wait:
            self._join(None)

    def close(self, timeout: float | None = None) -> bool:
        """Accept no more work and let calls in other threads finish for a while.

        Args:
            timeout: Seconds to wait at most. Default None: no limit.

        Returns:
            True if nothing runs any more; False inside a call of this very pool.
        """
        self._closed = True
        return self._join(timeout)

    def _join(self, timeout: float | None) -> bool:
        here = threading.get_ident()
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while any(ident != here for ident in list(self._running)):
                left = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
                if left <= 0:
                    break
                self._changed.wait(left)
        return not self._running

    # -- numbers ---------------------------------------------------------------------------------

    def free_slots(self) -> int:
        """1, or 0 while a call runs in any thread."""
        return 0 if self._running else 1

    @property
    def max_workers(self) -> int:
        """Always 1."""
        return 1

    @property
    def min_workers(self) -> int:
        """Always 0: no thread is kept."""
        return 0

    @property
    def workers(self) -> int:
        """The callers that run something now."""
        return len(self._running)

    @property
    def idle(self) -> int:
        """Always 0: no thread sleeps."""
        return 0

    @property
    def busy(self) -> int:
        """The calls that run now, nested ones included."""
        return len(self._running)

    @property
    def queued(self) -> int:
        """Always 0."""
        return 0
