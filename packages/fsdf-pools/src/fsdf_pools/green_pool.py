"""What the pools of greenlets have in common: all greenlets of one pool run in one thread, by one hub."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections import deque
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, Protocol, TypeVar

from fsdf_pools.call import fulfil
from fsdf_pools.errors import PoolClosedError
from fsdf_pools.log import log_failure
from fsdf_pools.registry import CREWS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from types import FrameType

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_MAX_WORKERS = 50
_TURN = 0.01
"""Seconds that a greenlet which never waits takes other calls before it lets everybody else have a turn."""


class Flag(Protocol):
    """An event of the library, on which greenlets wait."""

    def set(self) -> object:
        """Wake who waits."""
        ...

    def wait(self, timeout: float | None = None) -> object:
        """Wait at most `timeout` seconds."""
        ...


class GreenPool(Executor):
    """Runs calls in greenlets, at most `max_workers` at a time.

    A call runs until it waits for something that the library knows: after its monkey patches that is all that
    Python itself waits for. A greenlet takes one call after the other, and the next greenlet starts only when the
    ones before it wait: as many are made as wait at once. What blocks in C stands still for all of them.

    Its methods are for greenlets of the thread that made the pool. A forked child gets it empty and ready.

    Args:
        max_workers: The most calls at a time, at least 1. Default 50.
        thread_name_prefix: Accepted so that pools can be exchanged. Default "fsdf-pool".

    Raises:
        ValueError: `max_workers` is below 1.
    """

    green: ClassVar[str]
    """The library, whose monkey patches a consumer with this pool needs."""
    bell: threading.Event | None = None

    def __init__(self, max_workers: int | None = None, *, thread_name_prefix: str = "fsdf-pool") -> None:
        del thread_name_prefix
        self._max_workers = _checked(DEFAULT_MAX_WORKERS if max_workers is None else max_workers)
        self._begin()
        CREWS.add(self)

    def _begin(self) -> None:
        self._queued: deque[Callable[[], object]] = deque()
        self._running: set[Any] = set()
        self._struck: dict[Any, type[BaseException]] = {}
        self._filling = False
        self._taken = 0
        self._closed = False
        self._quiet: Flag | None = None

    # -- work ------------------------------------------------------------------------------------

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` in a greenlet.

        Args:
            fn: The callable.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.

        Returns:
            Its Future. To wait for it without standing still needs the monkey patches.

        Raises:
            PoolClosedError: The pool was closed. A `RuntimeError`.
        """
        future: Future[T] = Future()
        self.execute_many(lambda: fulfil(future, fn, args, kwargs), 1)
        return future

    def execute_many(self, call: Callable[[], object], count: int) -> None:
        """Run `call()` `count` times; never wait.

        What a call returns is dropped; what it raises is logged at ERROR on the logger "fsdf.pools".

        Args:
            call: A callable without arguments.
            count: How many times; nothing happens below 1.

        Raises:
            PoolClosedError: The pool was closed. A `RuntimeError`.
        """
        if count < 1:
            return
        if self._closed:
            raise PoolClosedError("the pool accepts no more work: it was closed")
        self._queued.extend([call] * count)
        self._fill_soon()

    def free_slots(self) -> int:
        """How many more calls could start now."""
        return max(0, self._max_workers - len(self._running) - len(self._queued))

    # -- size and end ----------------------------------------------------------------------------

    @property
    def max_workers(self) -> int:
        """The most calls at a time."""
        return self._max_workers

    @property
    def busy(self) -> int:
        """How many greenlets there are."""
        return len(self._running)

    def resize(self, max_workers: int) -> None:
        """Change the most calls at a time; running ones are left alone.

        Raises:
            ValueError: The number is below 1.
        """
        self._max_workers = _checked(max_workers)
        self._fill_soon()

    def close(self, timeout: float | None = None) -> bool:
        """Accept no more, and wait for what was handed over; what takes longer is left alone.

        Args:
            timeout: Seconds to wait; None is no limit.

        Returns:
            True if all of it has ended.
        """
        self._closed = True
        mine = {self.current()} & self._running
        if self._queued or self._running - mine:
            self._quiet = self._new_flag()
            if not mine and timeout != 0:
                self._quiet.wait(timeout)
        return self.quiet()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor
        """Close, as executors of the standard library do.

        Args:
            wait: Return when everything has ended. Default True.
            cancel_futures: Forget what has not begun. Default False.
        """
        if cancel_futures:
            self._queued.clear()
        self.close(None if wait else 0)

    # -- for who watches the calls ---------------------------------------------------------------

    @abstractmethod
    def current(self) -> Any:
        """Return the greenlet that runs this."""

    def interrupt(self, greenlet: Any, kind: type[BaseException] | None) -> int:
        """Raise an exception where a greenlet of the pool waits, as soon as others had their turn.

        Args:
            greenlet: What `current()` returned in the call.
            kind: The exception; None takes one back that was not raised yet.

        Returns:
            1 if the greenlet was told, else 0.
        """
        if kind is None:
            self._struck.pop(greenlet, None)
            return 1
        if greenlet not in self._running:
            return 0
        self._struck[greenlet] = kind
        self._call_soon(lambda: self._strike(greenlet))
        return 1

    def innermost(self, greenlet: Any) -> FrameType | None:
        """Return where a greenlet waits; None if it does not."""
        frame: FrameType | None = greenlet.gr_frame
        return frame

    # -- for the registry ------------------------------------------------------------------------

    def quiet(self) -> bool:
        """Whether nothing is left that could still run."""
        return not self._queued and not self._running

    def taken(self) -> int:
        """How many calls were begun."""
        return self._taken

    def lend_hand(self) -> None:
        """Let the hub run what waits."""
        if not self.quiet():
            self._give_way()

    def at_exit(self) -> None:
        """Close; what Ctrl-C left running ends with the process."""
        self.close(0.0)

    def after_fork(self) -> None:
        """Begin anew in a forked child: what was handed over runs in the parent."""
        self._begin()

    # -- in the hub ------------------------------------------------------------------------------

    @abstractmethod
    def _call_soon(self, function: Callable[[], None]) -> None:
        """Call it in the hub, when all that is ready now had its turn."""

    @abstractmethod
    def _new_greenlet(self) -> Any:
        """Return a greenlet that runs `_work` and ends in the hub."""

    @abstractmethod
    def _new_flag(self) -> Flag: ...

    @abstractmethod
    def _give_way(self) -> None:
        """Let all that is ready have a turn."""

    def _fill_soon(self) -> None:
        if self._queued and not self._filling and len(self._running) < self._max_workers:
            self._filling = True
            self._call_soon(self._fill)

    def _fill(self) -> None:
        """Start one greenlet after the other: each runs until it waits for the first time."""
        until = time.monotonic() + _TURN
        while self._queued and len(self._running) < self._max_workers:
            greenlet = self._new_greenlet()
            self._running.add(greenlet)
            greenlet.switch()
            if time.monotonic() > until:
                break
        self._filling = False
        self._fill_soon()

    def _strike(self, greenlet: Any) -> None:
        kind = self._struck.pop(greenlet, None)
        if kind is not None and greenlet in self._running:
            greenlet.throw(kind)

    # -- in the greenlets ------------------------------------------------------------------------

    def _work(self) -> None:
        queued, me = self._queued, self.current()
        until = time.monotonic() + _TURN
        try:
            while queued and len(self._running) <= self._max_workers:
                call = queued.popleft()
                self._taken += 1
                try:
                    call()
                except BaseException:  # noqa: BLE001 - not even SystemExit may end the hub
                    log_failure(call)
                if queued and time.monotonic() > until:
                    self._give_way()
                    until = time.monotonic() + _TURN
        finally:
            self._struck.pop(me, None)
            self._running.discard(me)
            self._fill_soon()
            if self._quiet is not None and self.quiet():
                self._quiet.set()
            if self.bell is not None and self.quiet():
                self.bell.set()


def _checked(max_workers: int) -> int:
    if max_workers < 1:
        raise ValueError(f"max_workers must be at least 1, not {max_workers}")
    return max_workers
