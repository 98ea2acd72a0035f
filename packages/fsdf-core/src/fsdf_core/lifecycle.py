"""What ends the consumers of a process: signals, and leaving the interpreter.

A signal handler runs in the main thread between any two instructions, so the code that it interrupts may hold
any lock. The handler therefore takes no lock: it hands the signal to the thread `fsdf-signals`, by the one queue
of Python that may be filled from a signal handler (`queue.SimpleQueue`), and the main thread goes on. When the
consumers are drained, the same signal is sent once more and ends the main thread.
"""

from __future__ import annotations

import atexit
import contextlib
import enum
import functools
import logging
import os
import queue
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from fsdf_core.green.main_thread import in_main, leaving, raise_in_main
from fsdf_core.hard_exit import exit_hard
from fsdf_core.shutdown_hook import before_shutdown
from fsdf_core.signal_wake import wake_main_thread
from fsdf_core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from fsdf_core.stoppable import Stoppable

# SIGBREAK is Ctrl-Break on Windows.
_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)]

_FLUSH = 10.0
"""Seconds that a consumer has, after its grace, to store acknowledgements and to close its connections."""

_LOOK = 1.0
"""Seconds between two looks of the main thread that has nothing else to do; on Windows it sees signals only then."""

_ECHO = 0.05
"""Seconds that the main thread has to notice the signal that is sent to it, before it is sent again."""


class _Phase(enum.Enum):
    IDLE = enum.auto()
    DRAINING = enum.auto()
    DRAINED = enum.auto()  # the signal is sent anew, to reach the main thread
    DEFERRED = enum.auto()  # it has, inside `signals_deferred`
    ENDED = enum.auto()  # the main thread was told to exit


_logger = logging.getLogger("fsdf")
_lock = threading.Lock()
_running: list[Stoppable] = []
_emptied = threading.Event()
_previous: dict[int, Any] = {}
_inbox: queue.SimpleQueue[int] = queue.SimpleQueue()
_watcher: threading.Thread | None = None
_phase = _Phase.IDLE
_signum = 0
_depth = 0
_left = False
_echo_ends = 0.0


def track(consumer: Stoppable) -> None:
    """Remember a started consumer, to drain it when the interpreter is left."""
    global _phase  # noqa: PLW0603 - process-wide by nature
    with _lock:
        _running.append(consumer)
        _emptied.clear()
        if _phase is _Phase.ENDED:
            _phase = _Phase.IDLE
        _register_hooks()


def untrack(consumer: Stoppable) -> None:
    """Forget a stopped consumer."""
    with _lock:
        with contextlib.suppress(ValueError):
            _running.remove(consumer)
        if not _running:
            _emptied.set()


def stop_all(timeout: float | None = None) -> bool:
    """Stop every running consumer of the process, all at the same time.

    A consumer that another thread is stopping already is waited for.

    Args:
        timeout: seconds for running tasks, each consumer's own grace if None. Ten more are given to what comes
            after the tasks; a consumer that has not stopped then is left alone.

    Returns:
        True if every task has ended and is acknowledged.
    """
    with _lock:
        consumers = list(_running)
    results: list[bool] = []

    def stop(consumer: Stoppable) -> None:
        try:
            results.append(consumer.stop(timeout))
        except Exception:
            _logger.exception("the consumer of %s cannot be stopped in order", consumer.name)

    threads = []
    for consumer in consumers:
        thread = threading.Thread(target=stop, args=(consumer,), name=f"fsdf-stop-{consumer.name}", daemon=True)
        try:
            thread.start()
            threads.append(thread)
        except RuntimeError:  # Python 3.12 and later start none while the interpreter is left
            stop(consumer)
    limit = max((consumer.grace if timeout is None else timeout for consumer in consumers), default=0.0)
    deadline = time.monotonic() + limit + _FLUSH
    for thread in threads:
        thread.join(min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX))
    return len(results) == len(consumers) and all(results)


def install_signal_handlers() -> None:
    """Make SIGTERM and SIGINT drain all consumers of the process; does nothing outside the main thread.

    The first signal stops receiving, lets running tasks end within their grace, gives back the rest, and ends
    the process with status 0, even if its main thread sits in an endless loop. Meanwhile the main thread goes
    on. A second signal ends the process hard. A handler of the user's own is called in the main thread after the
    drain, and then decides about the process itself. Idempotent.
    """
    global _watcher  # noqa: PLW0603 - process-wide by nature
    if not in_main():
        return
    if _watcher is None:
        _register_hooks()
        _watcher = threading.Thread(target=_watch, name="fsdf-signals", daemon=True)
        _watcher.start()
    for signum in _SIGNALS:
        current = signal.getsignal(signum)
        if current not in [_on_signal, signal.SIG_IGN, None]:
            _previous[signum] = current
            signal.signal(signum, _on_signal)
    wake_main_thread(_SIGNALS, noticed=ending)


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Let no signal end the main thread, or call the user's handler, until the block is left.

    For blocks that would leave something half done. Consumers are drained meanwhile, as far as they can be. May
    be nested. In other threads, which no signal interrupts, it does nothing.
    """
    global _depth  # noqa: PLW0603 - process-wide by nature
    if not in_main():
        yield
        return
    _depth += 1
    try:
        yield
    finally:
        _depth = max(0, _depth - 1)  # a child that was forked within the block has begun anew
        if not _depth and _phase is _Phase.DEFERRED:
            _finish(sys._getframe())  # noqa: SLF001 - a handler gets one, too


def ending() -> bool:
    """Whether a signal has told the process to end."""
    return _phase is not _Phase.IDLE


def await_drain() -> None:
    """Wait for the end that a signal is about to make, if there was one.

    For the main thread whose wait for its consumer is over: it would otherwise run on for a moment. Leaves by
    SystemExit, unless the user's own handler decides otherwise. In other threads it does nothing.
    """
    if in_main():
        wait_until(lambda: _phase in {_Phase.IDLE, _Phase.ENDED}, _longest_drain(), interval=0.01)


@functools.cache
def _register_hooks() -> None:
    atexit.register(_drain_at_exit)
    before_shutdown(_wait_for_consumers)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget_after_fork)


def _on_signal(signum: int, frame: FrameType | None) -> None:
    global _phase, _signum  # noqa: PLW0603 - process-wide by nature
    if _phase is _Phase.IDLE:
        _phase, _signum = _Phase.DRAINING, signum
        _inbox.put(signum)
    elif _phase is not _Phase.DRAINED:
        if _phase is _Phase.DRAINING or time.monotonic() > _echo_ends:
            exit_hard(128 + signum)
    elif _depth:
        _phase = _Phase.DEFERRED
    else:
        _finish(frame)


def _watch() -> None:
    """Drain for each signal; the thread's work."""
    global _phase  # noqa: PLW0603 - process-wide by nature
    while True:
        signum = _inbox.get()
        if not stop_all() and not _handler_before(signum):
            exit_hard(0)
        _phase = _Phase.DRAINED
        _reach_main_thread(signum)


def _reach_main_thread(signum: int) -> None:
    """Send the signal to the process itself, again and again: one that comes just before a system call ends no wait."""
    global _echo_ends  # noqa: PLW0603 - process-wide by nature
    while _phase is _Phase.DRAINED:
        _echo_ends = time.monotonic() + _ECHO
        if os.name == "posix":
            os.kill(os.getpid(), signum)
        else:
            signal.raise_signal(signum)
        wait_until(lambda: _phase is not _Phase.DRAINED, _ECHO, interval=_ECHO / 10)


def _finish(frame: FrameType | None) -> None:
    """End the main thread, or let the user's handler decide."""
    global _phase  # noqa: PLW0603 - process-wide by nature
    if _running:  # started after the drain had begun
        _phase = _Phase.DRAINING
        _inbox.put(_signum)
        return
    handler = _handler_before(_signum)
    if handler is not None:
        _phase = _Phase.IDLE
        handler(_signum, frame)
        return
    _phase = _Phase.ENDED
    if threading.main_thread().is_alive() and not (_left or leaving(frame)):
        raise_in_main(SystemExit(0))


def _handler_before(signum: int) -> Any:
    """Return the user's own handler, or None where it was one of Python's."""
    handler = _previous.get(signum)
    return handler if callable(handler) and handler is not signal.default_int_handler else None


def _longest_drain() -> float:
    return max([consumer.grace for consumer in list(_running)], default=0.0) + 2 * _FLUSH


def _wait_for_consumers() -> None:
    """Keep the interpreter whole: the consumers' threads alone would keep no more than the process."""
    global _left  # noqa: PLW0603 - process-wide by nature
    _left = True
    while _running:
        _emptied.wait(_LOOK)


def _drain_at_exit() -> None:
    global _left  # noqa: PLW0603 - process-wide by nature
    _left = True
    if _phase is _Phase.DRAINING:
        wait_until(lambda: _phase is not _Phase.DRAINING, _longest_drain(), interval=0.01)
    if _phase is _Phase.DRAINED:
        wait_until(lambda: _phase is not _Phase.DRAINED, _FLUSH, interval=0.01)
    if not stop_all():
        exit_hard(0)


def _forget_after_fork() -> None:
    """A forked child has none of its parent's consumers and none of their duties."""
    global _lock, _emptied, _inbox, _watcher, _phase, _depth, _left  # noqa: PLW0603 - the parent's may be held or half done
    _lock = threading.Lock()
    _inbox = queue.SimpleQueue()
    _watcher = None
    _phase = _Phase.IDLE
    _depth = 0
    _left = False
    _running.clear()
    _emptied = threading.Event()
    for signum, handler in _previous.items():
        with contextlib.suppress(ValueError, TypeError):
            signal.signal(signum, handler)
    _previous.clear()
