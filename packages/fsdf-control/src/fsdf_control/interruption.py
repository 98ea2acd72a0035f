"""Stop a running call from another thread: state, patience, and what becomes of one that will not stop."""

from __future__ import annotations

import functools
import math
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import TaskKilled
from fsdf_core.host import Abandoned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from fsdf_core.control import Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message

    _Inject = Callable[[int, type[BaseException] | None], int]

_HITS = 4
"""Interrupts within the grace. Few, because each one may also hit a call that is just cleaning up."""

_NOT_YET = 0.001
"""Seconds until a call that is just beginning is looked at again."""


class Interrupted(BaseException):
    """Arrives in a call that is to end. No `Exception`, so that `except Exception` lets it pass."""


class Terms:
    """What all interruptions of one control, between its start and its stop, have in common.

    Args:
        host: the consumer.
        grace: seconds that an interrupted call has to end before it counts as stuck.
        explain: makes the error that the interrupted call ends with.

    Attributes:
        prepare: called before a call's time begins to run: the pool may first have to start a process for it.
    """

    def __init__(self, host: Host, grace: float, explain: Callable[[Interruption], BaseException]) -> None:
        self.host = host
        self.grace = grace
        self.explain = explain
        # Of its own, so that of two nested controls each takes only what is meant for it.
        self.signal: type[Interrupted] = type("Interrupted", (Interrupted,), {})
        self.prepare: Callable[[], None] = getattr(host.pool, "prepare", _nothing)
        # A pool of greenlets says which one runs a call, and where it waits.
        self.current: Callable[[], Any] = getattr(host.pool, "current", threading.get_ident)
        self.innermost: Callable[[Any], FrameType | None] = getattr(host.pool, "innermost", _innermost)

    @functools.cached_property
    def inject(self) -> _Inject | None:
        """What interrupts a thread, None where nothing can."""
        # A pool that runs calls in other processes ends them there.
        inject: _Inject | None = getattr(self.host.pool, "interrupt", None) or injector()
        return inject


class Interruption:
    """One call in one thread that may have to end early.

    It runs until it is interrupted, and then until it has ended or is abandoned. A call that was interrupted has
    failed with the error of the interruption, whatever it does then; only a kill inside it (`TaskKilled`) goes
    first. One that has not ended within the grace is stuck: its message is settled without it, the pool gets
    another worker, and when it ends at last it raises `Abandoned`.

    The interrupt is an exception that CPython raises between two bytecodes of the thread
    (`PyThreadState_SetAsyncExc`): not inside C code, which must return first. It is repeated while the call
    swallows it. Where the interpreter cannot inject, the call counts as stuck at once. A call in another process ends
    with that: the pool kills it (`RemotePool.interrupt`).

    Args:
        message: what is run.
        due: monotonic time from which the call is to end; `math.inf` for not yet.
        limit: the seconds that the call may run, for the error's text.
        terms: of the control.
    """

    __slots__ = ("_abandoned", "_claim", "_error", "_gives_up", "_open", "_terms", "_thread", "due", "limit", "message")

    def __init__(self, message: Message, due: float, limit: float, terms: Terms) -> None:
        self.message = message
        self.due = due
        self.limit = limit
        self._terms = terms
        self._thread = terms.current()
        # Whoever holds it decides; the call takes it when it ends, and keeps it.
        self._claim = threading.Lock()
        self._open = False
        self._error: BaseException | None = None
        self._gives_up = math.inf
        self._abandoned = False

    def run(self, call: Call) -> Any:
        """Run the call.

        Raises:
            Abandoned: its message was settled before it ended.
            BaseException: the error of the interruption, or what the call raised.
        """
        # No interrupt may outlive the call. CPython (3.10 and later) raises injected exceptions only after a call
        # has returned, at the start of a function and at a jump back. So nothing happens between the end of the
        # call, whichever way, and the return of `acquire`; the one that may then be raised is caught here, and
        # none follows, because the claim is held. Not a function of its own, for the same reason.
        signal = self._terms.signal
        try:
            try:
                self._open = True
                result = call(self.message)
            finally:
                try:
                    self._claim.acquire()
                    if self._error is not None and self._terms.inject is not None:
                        self._terms.inject(self._thread, None)
                except signal:
                    pass
        except BaseException as cause:
            if self._error is None:
                raise
            ending = self._ending(cause)
            if ending is cause:
                raise
            raise ending from (cause.__cause__ if isinstance(cause, Interrupted) else cause)
        if self._error is not None:
            raise self._ending(None)
        return result

    def press(self, now: float) -> float:
        """Interrupted, or interrupt again, or give up; return the time of the next look, `math.inf` for none."""
        if not self._claim.acquire(blocking=False):
            return math.inf
        try:
            if not self._open:
                return now + _NOT_YET
            if self._error is None:
                self._error = self._terms.explain(self)
                self._gives_up = now + self._terms.grace
            if self._hit() and now < self._gives_up:
                return min(now + self._terms.grace / _HITS, self._gives_up)
            # Decided and carried out under the claim: a call that ends now waits until the pool has grown. The
            # last interrupt stays under way, for a call that was in C code.
            self._abandoned = True
            self._terms.host.abandon(self.message, self._error)
            self._report()
            return math.inf
        finally:
            self._claim.release()

    def _ending(self, cause: BaseException | None) -> BaseException:
        """Return what the interrupted call ends with. The claim is held."""
        error, self._error = self._error, None
        if self._abandoned:
            return Abandoned()
        if error is None or isinstance(cause, Abandoned | TaskKilled):
            return cause or Abandoned()
        return error if cause is None else error.with_traceback(cause.__traceback__)

    def _hit(self) -> bool:
        """Send the interrupt; False if that cannot be done. The claim is held."""
        inject = self._terms.inject
        return inject is not None and inject(self._thread, self._terms.signal) > 0

    def _frames(self) -> Sequence[FrameType]:
        """Return where the call is, innermost last."""
        innermost = self._terms.innermost(self._thread)
        return [frame for frame, _ in traceback.walk_stack(innermost)][::-1] if innermost is not None else []

    def _report(self) -> None:
        logger = self._terms.host.logger
        frames = self._frames()
        place = "an unknown place"
        if frames:
            code = frames[-1].f_code
            place = f"{code.co_filename}:{frames[-1].f_lineno} {code.co_name}"
        logger.warning(
            "task %s is stuck in %s: it counts as failed (%s), and its worker is replaced until it ends",
            self.message.task_id, place, self._error,
        )  # fmt: skip
        if logger.isEnabledFor(10):
            stack = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in frames)
            logger.debug("task %s is stuck here:\n%s", self.message.task_id, "".join(stack.format()))


def _nothing() -> None: ...


def _innermost(thread: int) -> FrameType | None:
    return sys._current_frames().get(thread)  # noqa: SLF001 - CPython's documented way


@functools.cache
def injector() -> _Inject | None:
    """Return a function of (thread's identity, exception type or None to take it back), or None without CPython."""
    try:
        import ctypes  # noqa: PLC0415 - only where calls are limited

        set_exception = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(
            ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
        )
    except (ImportError, AttributeError):
        return None
    nothing = ctypes.py_object()
    return lambda thread, kind: set_exception(thread, nothing if kind is None else kind)
