"""The threads of the pool: one for each child process."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from fsdf_pools.call import fulfil, withdraw
from fsdf_pools.errors import NoThreadError, PoolClosedError
from fsdf_pools.log import log_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_pools.call import Item
    from fsdf_pools.process_pool.worker import Worker


_DYING = 10.0
"""Seconds that threads have to end when their children were killed."""


class Staff:
    """Starts a thread when work waits and none is free; ends one that had none for a while, and its child.

    Args:
        name: threads are named `<name>-<number>`.
        max_workers: the most threads at a time; may be changed by `resize` only.
        keep_alive: seconds until an idle thread ends.
        hire: makes the worker of a thread, given the thread's name.
    """

    def __init__(self, name: str, max_workers: int, keep_alive: float, hire: Callable[[str], Worker]) -> None:
        self.name = name
        self.max_workers = max_workers
        self.bell: threading.Event | None = None
        """Rung when it may have become quiet, if there is one."""
        self._taken = 0
        self._keep_alive = keep_alive
        self._hire_worker = hire
        self._numbers = itertools.count(1)
        self._begin()

    def _begin(self) -> None:
        self.threads: dict[int, Worker] = {}
        """The workers whose threads have not ended, by the thread's identity."""
        self.busy = 0
        """How many calls run."""
        self.items: deque[Item] = deque()
        """Calls that wait."""
        self._changed = threading.Condition()
        self._serving: set[int] = set()
        self._starting = 0
        self._idle = 0
        self._closed = False

    @property
    def workers(self) -> int:
        """The threads that take calls, or are about to."""
        return len(self._serving) + self._starting

    def add(self, item: Item, count: int) -> None:
        """Let a call be made `count` times.

        Raises:
            PoolClosedError: it accepts no more.
            NoThreadError: there is no thread, and none can be started.
        """
        if count < 1:
            return
        with self._changed:
            if self._closed:
                raise PoolClosedError(f"the pool {self.name!r} accepts no more work: it was closed")
            self.items.extend([item] * count)
            try:
                self._hire()
            except RuntimeError as error:
                if not self._serving and not self._starting:
                    for _ in range(count):
                        self.items.pop()
                    raise NoThreadError(f"the pool {self.name!r} has no thread, and none can be started") from error
            self._changed.notify(count)

    def _hire(self) -> None:
        while self.workers < self.max_workers and len(self.items) > self._idle + self._starting:
            name = f"{self.name}-{next(self._numbers)}"
            worker = self._hire_worker(name)
            worker.thread = threading.Thread(target=self._serve, args=(worker,), name=name, daemon=True)
            self._starting += 1
            try:
                worker.thread.start()
            except BaseException:
                self._starting -= 1
                raise

    def _serve(self, worker: Worker) -> None:
        here = threading.get_ident()
        with self._changed:
            self._starting -= 1
            self.threads[here] = worker
            self._serving.add(here)
        try:
            while (item := self._take(here)) is not None:
                fn, args = item
                worker.engage()
                try:
                    fn(*args)
                except BaseException:  # noqa: BLE001 - not even SystemExit may cost the pool a worker
                    log_failure(fn)
                worker.disengage()
                # A traceback in a Future may hold this frame: it must not hold the Future in turn.
                del fn, args, item
                self._done()
        finally:
            worker.retire()
            with self._changed:
                self.threads.pop(here, None)
                self._changed.notify_all()

    def _take(self, here: int) -> Item | None:
        with self._changed:
            while not self.items and not self._closed and self.workers <= self.max_workers:
                self._idle += 1
                rung = self._changed.wait(self._keep_alive)
                self._idle -= 1
                if not rung and not self.items:
                    break
            if not self.items or self.workers > self.max_workers:
                self._serving.discard(here)
                return None
            self.busy += 1
            self._taken += 1
            return self.items.popleft()

    def _done(self) -> None:
        with self._changed:
            self.busy -= 1
            if self.busy or self.items:
                return
            if self._closed:
                self._changed.notify_all()
            if self.bell is not None:
                self.bell.set()

    def stop_accepting(self) -> None:
        """Take what waits, and nothing new."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _await_calls(self, timeout: float | None) -> bool:
        mine = threading.get_ident() in self.threads
        with self._changed:
            return self._changed.wait_for(lambda: self.busy <= mine and not self.items, timeout)

    def _await_threads(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        for worker in list(self.threads.values()):
            if worker.thread is not None and worker.thread is not threading.current_thread():
                worker.thread.join(max(0.0, deadline - time.monotonic()))

    def drop_queued(self) -> None:
        """Forget the calls that wait."""
        with self._changed:
            dropped = list(self.items)
            self.items.clear()
        for fn, args in dropped:
            if fn is fulfil:
                withdraw(args[0])

    def end(self, timeout: float | None) -> bool:
        """Accept no more, wait so many seconds for the calls, kill what is left; return whether nothing was."""
        self.stop_accepting()
        clean = self._await_calls(timeout)
        if not clean:
            self.drop_queued()
            for worker in list(self.threads.values()):
                worker.give_up()
        self._await_threads(_DYING)
        return clean

    def resize(self, max_workers: int) -> None:
        """Change the most threads; surplus ones end after the call that they run."""
        with self._changed:
            self.max_workers = max_workers
            self._changed.notify_all()
            if not self._closed:
                self._hire()

    # -- for the registry ------------------------------------------------------------------------

    def quiet(self) -> bool:
        """Whether nothing runs or waits."""
        return not self.busy and not self.items

    def taken(self) -> int:
        """How many calls were taken."""
        return self._taken

    def lend_hand(self) -> None:
        """Nobody can: each child has its thread."""

    def at_exit(self) -> None:
        """End; kill what Ctrl-C left running."""
        self.end(0.0)

    def after_fork(self) -> None:
        """Begin anew in a forked process: threads and children are the parent's."""
        inherited = list(self.threads.values())
        self._begin()
        self.bell = None
        for worker in inherited:
            worker.forget()
