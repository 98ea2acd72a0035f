"""One place of the pool: a thread of the parent, and the child process that runs its calls."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from fsdf_pools.process_pool.answer import decode_result, encode_call
from fsdf_pools.process_pool.child import Child, ChildGoneError
from fsdf_pools.process_pool.errors import GivenUpError, RemoteTraceback, WorkerDiedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_START = 60.0
"""Seconds that a child has until it can take calls."""

_STARTS = 3
"""Children, one after the other, that may die before a call begins until it fails by that."""

_PREFIX = "fsdf-"
"""Names of child processes begin with it: `fsdf` knows by that, while they import, that nothing may start in them."""

_PIECE = 0.2
"""Seconds between two looks, during a start, at whether the call was interrupted."""


class Worker:
    """Belongs to one thread, whose methods these are but for `interrupt` and `give_up`.

    Args:
        name: of the thread; the child's name begins with it.
        setup: for the child.
        main_file: the script, if this process runs one.
        max_calls: so many calls a child runs before it is replaced; None: no limit.
        warm_ups: calls, encoded, that each child makes before its first one; may grow.
    """

    def __init__(
        self, name: str, setup: bytes, main_file: str | None, max_calls: int | None, warm_ups: Sequence[bytes]
    ) -> None:
        self.name = name
        self.thread: threading.Thread | None = None
        self._setup = setup
        self._main_file = main_file
        self._max_calls = max_calls
        self._warm_ups = warm_ups
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._running = False
        self._spent = False
        self._interrupt: type[BaseException] | None = None
        self._place = ""
        self._engaged = False
        self._born = 0

    @property
    def pid(self) -> int | None:
        """The child's process id; None if there is none."""
        child = self._child
        return None if child is None else child.pid

    def run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run a call in the child; return its result or raise its error.

        Raises:
            UnpicklableError: the call, or its result, cannot travel.
            WorkerDiedError: the child died of it.
            GivenUpError: the pool was closed, and the call had not ended in time.
            BaseException: what the call raised, or what `interrupt` was given.
        """
        request = encode_call(fn, args, kwargs)
        self.prepare()
        child = self._begin()
        try:
            child.send(request)
            frame = None
            while frame is None:
                frame = child.hear(_START)
        except ChildGoneError:
            self._child = None
            reason = child.retire()
            self._end()
            raise WorkerDiedError(f"the process {child.pid} that ran it has ended: {reason}") from None
        except BaseException:
            # Injected into this thread: the call goes on, so its process cannot take another one.
            self._child = None
            child.kill()
            child.retire()
            self._end()
            raise
        child.calls += 1
        with self._lock:
            self._running = False
            self._spent = self._interrupt is not None or child.calls == self._max_calls
        return decode_result(frame)

    def prepare(self) -> None:
        """See to it that there is a child which can take a call, and has made those that warm it up.

        Raises:
            WorkerDiedError: none can be had.
            GivenUpError: the pool was closed meanwhile.
            BaseException: what the initializer raised, or what `interrupt` was given.
        """
        if self._spent:
            self.retire()
        child = self._child
        for start in range(1, _STARTS + 1):
            try:
                if child is None:
                    child = self._child = self._new_child()
                elif child.ready:
                    child.hear(0.0)  # it may have ended since its last call
                self._make_ready(child)
            except ChildGoneError:
                self._child = None
                reason = child.retire() if child is not None else ""
                child = None
                if start == _STARTS:
                    raise WorkerDiedError(
                        f"child processes end before they can take a call ({reason}): see stderr"
                    ) from None
            else:
                return

    def _new_child(self) -> Child:
        self._born += 1
        try:
            return Child(f"{_PREFIX}{self.name.removeprefix(_PREFIX)}-child-{self._born}", self._setup, self._main_file)
        except OSError as error:
            raise WorkerDiedError(f"no child process can be started: {error}") from error

    def _make_ready(self, child: Child) -> None:
        if child.ready and child.warmed == len(self._warm_ups):
            return
        deadline = time.monotonic() + _START
        try:
            if not child.ready:
                child.check_ready(self._patient_frame(child, deadline))
            while child.warmed < len(self._warm_ups):
                child.send(self._warm_ups[child.warmed])
                self._patient_frame(child, deadline)
                child.warmed += 1
        except ChildGoneError:
            raise
        except BaseException:
            child.kill()
            self.retire()
            raise

    def _patient_frame(self, child: Child, deadline: float) -> bytes:
        """Return what a child says that is getting ready; it can be interrupted."""
        while (frame := child.hear(_PIECE)) is None:
            self._heed_interrupt()
            if time.monotonic() > deadline:
                raise WorkerDiedError(f"a child process was not ready after {_START:g} s")
        return frame

    def _begin(self) -> Child:
        with self._lock:
            self._heed_interrupt()
            child = self._child
            if child is None:
                raise WorkerDiedError("there is no child process")
            self._running = True
            return child

    def _end(self) -> None:
        with self._lock:
            self._running = False
            self._heed_interrupt()

    def _heed_interrupt(self) -> None:
        kind, self._interrupt = self._interrupt, None
        place, self._place = self._place, ""
        if kind is not None:
            raise kind from (RemoteTraceback(place) if place else None)

    def engage(self) -> None:
        """From now on there is something that can be interrupted."""
        self._engaged = True

    def disengage(self) -> None:
        """There is nothing any more; an interrupt that comes later concerns nobody."""
        with self._lock:
            self._engaged = False
            self._interrupt = None

    def interrupt(self, kind: type[BaseException] | None) -> bool:
        """End the call that runs by killing the child: it raises `kind`. None takes back what was not yet raised.

        Returns:
            Whether there is anything to interrupt.
        """
        with self._lock:
            if not self._engaged:
                return False
            fresh = self._interrupt is None
            self._interrupt = kind
            if kind is not None and self._running and self._child is not None:
                if fresh:
                    self._place = self._child.whereabouts()
                self._child.kill()
            return True

    def give_up(self) -> None:
        """End the call that runs, because the pool closes."""
        self.interrupt(GivenUpError)

    def retire(self) -> None:
        """Let the child end."""
        child, self._child, self._spent = self._child, None, False
        if child is not None:
            child.retire()

    def forget(self) -> None:
        """Let go of the child in a forked process."""
        if self._child is not None:
            self._child.forget()
