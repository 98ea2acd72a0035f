"""The pool of child processes."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf_pools.call import fulfil
from fsdf_pools.process_pool.errors import GivenUpError
from fsdf_pools.process_pool.exit_hook import look_after
from fsdf_pools.process_pool.remote_calls import RemoteCalls
from fsdf_pools.process_pool.staff import Staff
from fsdf_pools.process_pool.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class ProcessPool(RemoteCalls):
    """Runs calls in child processes, each kept by a thread of this process.

    A child starts when work waits and no other is free, and ends when it had none for a while. One that dies costs
    the call that it ran, nothing else: the next call gets a new one. A running call can be ended at any time, even
    inside C code, because its process is killed. Children end with this process, however that ends; SIGINT, SIGTERM
    and SIGHUP of their group they leave to it. What they log appears in this process's logging.

    Functions must be importable in another process (the top level of a module), arguments and results picklable.

    Args:
        max_workers: the most processes at a time, at least 1. Default: one for each CPU.
        keep_alive: seconds until an idle process ends. Default 10.
        max_tasks_per_child: so many calls a process runs before it is replaced. Default: no limit.
        initializer: called in each process before its first call. Default: nothing.
        initargs: its arguments.
        thread_name_prefix: threads are named `<prefix>-<number>`. Default "fsdf-pool".

    Raises:
        ValueError: a number is out of its range.
    """

    runs_elsewhere = True
    given_up = GivenUpError

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        keep_alive: float = 10.0,
        max_tasks_per_child: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        thread_name_prefix: str = "fsdf-pool",
    ) -> None:
        max_workers = _checked("max_workers", (os.cpu_count() or 1) if max_workers is None else max_workers)
        if max_tasks_per_child is not None:
            _checked("max_tasks_per_child", max_tasks_per_child)
        setup = pickle.dumps((initializer, initargs))
        main_file = getattr(sys.modules["__main__"], "__file__", None)
        warm_ups: list[bytes] = []
        self._warm_ups = warm_ups
        # Without this pool, so that one which nobody has any more ends.
        self._staff = Staff(
            thread_name_prefix,
            max_workers,
            keep_alive,
            lambda name: Worker(name, setup, main_file, max_tasks_per_child, warm_ups),
        )
        look_after(self._staff)
        weakref.finalize(self, self._staff.stop_accepting).atexit = False

    # -- work ------------------------------------------------------------------------------------

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` in a child process.

        Returns:
            The Future of its result; it may also raise what `run` does.

        Raises:
            PoolClosedError: the pool was closed. A `RuntimeError`.
            NoThreadError: the system refused the very first thread. A `RuntimeError`.
        """
        future: Future[T] = Future()
        self._staff.add((fulfil, (future, self.run, (fn, *args), kwargs)), 1)
        return future

    def execute_many(self, call: Callable[[], object], count: int) -> None:
        """Run `call()` `count` times in threads of this process; it uses `run` for what shall run in a child.

        Raises:
            PoolClosedError: the pool was closed. A `RuntimeError`.
            NoThreadError: the system refused the very first thread. A `RuntimeError`.
        """
        self._staff.add((call, ()), count)

    def interrupt(self, thread: int, kind: type[BaseException] | None) -> int:
        """End the call that a thread of the pool has in its child process, by killing that.

        Args:
            thread: the thread's identity.
            kind: what `run` raises there, made without arguments. None takes back what has not been raised yet.

        Returns:
            1, or 0 if the thread is none of the pool's, or runs nothing.
        """
        worker = self._staff.threads.get(thread)
        return int(worker is not None and worker.interrupt(kind))

    def _place(self) -> Worker:
        worker = self._staff.threads.get(threading.get_ident())
        if worker is None:
            raise RuntimeError("only calls that the pool runs have a child process: use submit()")
        return worker

    # -- size and end ----------------------------------------------------------------------------

    def free_slots(self) -> int:
        """How many more calls could start now."""
        return max(0, self.max_workers - self.busy - len(self._staff.items))

    @property
    def max_workers(self) -> int:
        """The most processes at a time."""
        return self._staff.max_workers

    @property
    def workers(self) -> int:
        """The threads there are now."""
        return self._staff.workers

    @property
    def busy(self) -> int:
        """How many calls run."""
        return self._staff.busy

    @property
    def pids(self) -> list[int]:
        """The process ids of the children there are now."""
        return [pid for worker in list(self._staff.threads.values()) if (pid := worker.pid) is not None]

    def resize(self, max_workers: int) -> None:
        """Change the most processes; surplus ones end after the call that they run.

        Raises:
            ValueError: the number is below 1.
        """
        self._staff.resize(_checked("max_workers", max_workers))

    def close(self, timeout: float | None = None) -> bool:
        """Accept no more, wait for what was handed over, then kill what is left.

        Args:
            timeout: seconds to wait. Default None: no limit.

        Returns:
            True if all of it has ended by itself.
        """
        return self._staff.end(timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor
        """Accept no more work; what is queued still runs unless cancelled.

        Args:
            wait: return only when all has ended. Default True.
            cancel_futures: drop what has not begun. Default False.
        """
        self._staff.stop_accepting()
        if cancel_futures:
            self._staff.drop_queued()
        if wait:
            self._staff.end(None)


def _checked(name: str, number: int) -> int:
    if number < 1:
        raise ValueError(f"{name} must be at least 1, not {number}")
    return number
