"""The pool of child processes."""

from __future__ import annotations

import itertools
import os
import pickle
import sys
import threading
import time
from collections import deque
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf_pools.call import fulfil, withdraw
from fsdf_pools.errors import NoThreadError, PoolClosedError
from fsdf_pools.log import log_failure
from fsdf_pools.process_pool.answer import encode_call
from fsdf_pools.process_pool.errors import GivenUpError
from fsdf_pools.process_pool.tenancy import Tenancy
from fsdf_pools.process_pool.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_pools.call import Item

P = ParamSpec("P")
T = TypeVar("T")

_DYING = 10.0
"""Seconds that threads have to end when their children were killed."""


class ProcessPool(Executor):
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
        self._max_workers = _checked("max_workers", (os.cpu_count() or 1) if max_workers is None else max_workers)
        if max_tasks_per_child is not None:
            _checked("max_tasks_per_child", max_tasks_per_child)
        self._max_calls = max_tasks_per_child
        self._keep_alive = keep_alive
        self._setup = pickle.dumps((initializer, initargs))
        self._warm_ups: list[bytes] = []
        self._main_file = getattr(sys.modules["__main__"], "__file__", None)
        self._name = thread_name_prefix
        self._numbers = itertools.count(1)
        self.taken = 0
        """How many calls were taken."""
        self._begin()
        self._tenancy = Tenancy(self)

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._items: deque[Item] = deque()
        self._serving: dict[int, Worker] = {}
        """Workers that take calls."""
        self._threads: dict[int, Worker] = {}
        """All whose threads have not ended, by the thread's identity."""
        self._starting = 0
        self._idle = 0
        self._busy = 0
        self._closed = False

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
        self._add((fulfil, (future, self.run, (fn, *args), kwargs)), 1)
        return future

    def execute_many(self, call: Callable[[], object], count: int) -> None:
        """Run `call()` `count` times in threads of this process; it uses `run` for what shall run in a child.

        Raises:
            PoolClosedError: the pool was closed. A `RuntimeError`.
            NoThreadError: the system refused the very first thread. A `RuntimeError`.
        """
        self._add((call, ()), count)

    def run(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Run `fn(*args, **kwargs)` in the child process of the calling thread, one of the pool's own, and wait.

        Raises:
            UnpicklableError: the call or its result cannot travel.
            WorkerDiedError: the child died of it.
            GivenUpError: the pool was closed, and the call had not ended in time.
            RemoteError: stands for an error that cannot travel.
            BaseException: what the call raised, its traceback being the text of a `RemoteTraceback`, its cause; or
                what `interrupt` was given.
        """
        result: T = self._mine().run(fn, args, kwargs)
        return result

    def warm_up(self, fn: Callable[..., object], /, *args: Any) -> None:
        """Let each child process call `fn(*args)` before its first call; one that runs already, before its next.

        For imports, which shall not take the time of a call. Nobody is told what it returns or raises.

        Raises:
            UnpicklableError: the call cannot travel.
        """
        call = encode_call(fn, args, {})
        if call not in self._warm_ups:
            self._warm_ups.append(call)

    def prepare(self) -> None:
        """Wait until the child process of the calling thread, one of the pool's own, can take a call.

        Raises:
            WorkerDiedError: none can be had.
            BaseException: what `interrupt` was given.
        """
        self._mine().prepare()

    def interrupt(self, thread: int, kind: type[BaseException] | None) -> int:
        """End the call that a thread of the pool has in its child process, by killing that.

        Args:
            thread: the thread's identity.
            kind: what `run` raises there, made without arguments. None takes back what has not been raised yet.

        Returns:
            1, or 0 if the thread is none of the pool's.
        """
        worker = self._threads.get(thread)
        if worker is None:
            return 0
        worker.interrupt(kind)
        return 1

    def _mine(self) -> Worker:
        worker = self._threads.get(threading.get_ident())
        if worker is None:
            raise RuntimeError("only calls that the pool runs have a child process: use submit()")
        return worker

    def _add(self, item: Item, count: int) -> None:
        if count < 1:
            return
        with self._changed:
            if self._closed:
                raise PoolClosedError(f"the pool {self._name!r} accepts no more work: it was closed")
            self._items.extend([item] * count)
            try:
                self._hire()
            except RuntimeError as error:
                if not self._serving and not self._starting:
                    for _ in range(count):
                        self._items.pop()
                    raise NoThreadError(f"the pool {self._name!r} has no thread, and none can be started") from error
            self._changed.notify(count)

    def _hire(self) -> None:
        while self.workers < self._max_workers and len(self._items) > self._idle + self._starting:
            name = f"{self._name}-{next(self._numbers)}"
            worker = Worker(name, self._setup, self._main_file, self._max_calls, self._warm_ups)
            worker.thread = threading.Thread(target=self._serve, args=(worker,), name=name, daemon=True)
            self._starting += 1
            try:
                worker.thread.start()
            except BaseException:
                self._starting -= 1
                raise

    # -- in the threads --------------------------------------------------------------------------

    def _serve(self, worker: Worker) -> None:
        here = threading.get_ident()
        with self._changed:
            self._starting -= 1
            self._serving[here] = self._threads[here] = worker
        try:
            while (item := self._take(here)) is not None:
                fn, args = item
                try:
                    fn(*args)
                except BaseException:  # noqa: BLE001 - not even SystemExit may cost the pool a worker
                    log_failure(fn)
                worker.interrupt(None)  # it was meant for this one
                # A traceback in a Future may hold this frame: it must not hold the Future in turn.
                del fn, args, item
                self._done()
        finally:
            worker.retire()
            with self._changed:
                self._threads.pop(here, None)
                self._changed.notify_all()

    def _take(self, here: int) -> Item | None:
        with self._changed:
            while not self._items and not self._closed and self.workers <= self._max_workers:
                self._idle += 1
                rung = self._changed.wait(self._keep_alive)
                self._idle -= 1
                if not rung and not self._items:
                    break
            if not self._items or self.workers > self._max_workers:
                del self._serving[here]
                return None
            self._busy += 1
            self.taken += 1
            return self._items.popleft()

    def _done(self) -> None:
        with self._changed:
            self._busy -= 1
            if self._busy or self._items:
                return
            if self._closed:
                self._changed.notify_all()
            if self._tenancy.bell is not None:
                self._tenancy.bell.set()

    # -- size and end ----------------------------------------------------------------------------

    def free_slots(self) -> int:
        """How many more calls could start now."""
        return max(0, self._max_workers - self._busy - len(self._items))

    @property
    def max_workers(self) -> int:
        """The most processes at a time."""
        return self._max_workers

    @property
    def workers(self) -> int:
        """The threads there are now."""
        return len(self._serving) + self._starting

    @property
    def busy(self) -> int:
        """How many calls run."""
        return self._busy

    @property
    def pids(self) -> list[int]:
        """The process ids of the children there are now."""
        return [pid for worker in list(self._threads.values()) if (pid := worker.pid) is not None]

    def resize(self, max_workers: int) -> None:
        """Change the most processes; surplus ones end after the call that they run.

        Raises:
            ValueError: the number is below 1.
        """
        with self._changed:
            self._max_workers = _checked("max_workers", max_workers)
            self._changed.notify_all()
            if not self._closed:
                self._hire()

    def close(self, timeout: float | None = None) -> bool:
        """Accept no more, wait for what was handed over, then kill what is left.

        Args:
            timeout: seconds to wait. Default None: no limit.

        Returns:
            True if all of it has ended by itself.
        """
        self._stop_accepting()
        clean = self._await(timeout)
        if not clean:
            self._drop_queued()
            for worker in list(self._threads.values()):
                worker.give_up()
        self._await_threads(_DYING)
        return clean

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor
        """Accept no more work; what is queued still runs unless cancelled.

        Args:
            wait: return only when all has ended. Default True.
            cancel_futures: drop what has not begun. Default False.
        """
        self._stop_accepting()
        if cancel_futures:
            self._drop_queued()
        if wait and self._await(None):
            self._await_threads(_DYING)

    def _stop_accepting(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _await(self, timeout: float | None) -> bool:
        mine = threading.get_ident() in self._threads
        with self._changed:
            return self._changed.wait_for(lambda: self._busy <= mine and not self._items, timeout)

    def _await_threads(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        for worker in list(self._threads.values()):
            if worker.thread is not None and worker.thread is not threading.current_thread():
                worker.thread.join(max(0.0, deadline - time.monotonic()))

    def _drop_queued(self) -> None:
        with self._changed:
            dropped = list(self._items)
            self._items.clear()
        for fn, args in dropped:
            if fn is fulfil:
                withdraw(args[0])

    def after_fork(self) -> None:
        """Begin anew in a forked process: threads and children are the parent's."""
        inherited = list(self._threads.values())
        self._begin()
        for worker in inherited:
            worker.forget()


def _checked(name: str, number: int) -> int:
    if number < 1:
        raise ValueError(f"{name} must be at least 1, not {number}")
    return number
