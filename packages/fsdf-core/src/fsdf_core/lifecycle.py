"""What ends the consumers of a process: signals, and leaving the interpreter."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from fsdf_core.consumer import Consumer

_logger = logging.getLogger("fsdf")
_lock = threading.Lock()
_running: list[Consumer] = []
_previous: dict[int, Any] = {}
_draining = False
_registered = False

_SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)
]  # SIGBREAK is Ctrl-Break on Windows


def track(consumer: Consumer) -> None:
    """Remember a started consumer, to drain it when the interpreter is left."""
    global _registered  # noqa: PLW0603 - process-wide by nature
    with _lock:
        _running.append(consumer)
        if not _registered:
            _registered = True
            atexit.register(_drain_at_exit)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_forget_after_fork)


def untrack(consumer: Consumer) -> None:
    """Forget a stopped consumer."""
    with _lock, contextlib.suppress(ValueError):
        _running.remove(consumer)


def stop_all(timeout: float | None = None) -> bool:
    """Stop every running consumer of the process, all at the same time.

    Args:
        timeout: seconds for running tasks, each consumer's own grace if None.

    Returns:
        True if every task has ended and is acknowledged.
    """
    with _lock:
        consumers = list(_running)
    results: list[bool] = []
    if len(consumers) == 1:
        return consumers[0].stop(timeout)
    threads = [
        threading.Thread(
            target=lambda one=consumer: results.append(one.stop(timeout)),
            name=f"fsdf-stop-{consumer.queue.name}",
            daemon=True,
        )
        for consumer in consumers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(results) == len(consumers) and all(results)


def install_signal_handlers() -> None:
    """Make SIGTERM and SIGINT drain all consumers of the process; does nothing outside the main thread.

    The first signal stops receiving, lets running tasks end within their grace, gives back the rest, and ends
    the process with status 0, even if its main thread sits in an endless loop. A second signal ends it hard. A
    handler of the user's own is called after the drain, and then decides about the process itself. Idempotent.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for signum in _SIGNALS:
        current = signal.getsignal(signum)
        if current is _on_signal or current in {signal.SIG_IGN, None}:
            continue
        _previous[signum] = current
        signal.signal(signum, _on_signal)


def _on_signal(signum: int, frame: FrameType | None) -> None:
    global _draining  # noqa: PLW0603 - process-wide by nature
    if _draining:
        _exit_hard(128 + signum)
    _draining = True
    try:
        clean = stop_all()
    finally:
        _draining = False
    previous = _previous.get(signum)
    if callable(previous) and previous is not signal.default_int_handler:
        previous(signum, frame)
        return
    if not clean:
        _exit_hard(0)
    if threading.main_thread().is_alive() and not _leaving(frame):
        raise SystemExit(0)


def _leaving(frame: FrameType | None) -> bool:
    """Whether the interpreter joins its threads already: an exception there would only be complained of."""
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    if frame is None:
        return False
    return frame.f_code.co_name == "_shutdown" and frame.f_globals.get("__name__") == "threading"


def _drain_at_exit() -> None:
    if not stop_all():
        _exit_hard(0)


def _exit_hard(status: int) -> None:
    """End now: a task that does not end would otherwise keep the interpreter waiting."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)


def _forget_after_fork() -> None:
    """A forked child has none of its parent's consumers and none of their duties."""
    global _lock  # noqa: PLW0603 - the parent's may be held
    _lock = threading.Lock()
    _running.clear()
    for signum, handler in _previous.items():
        with contextlib.suppress(ValueError, TypeError):
            signal.signal(signum, handler)
    _previous.clear()


def wait_until(condition: Callable[[], bool], timeout: float, interval: float = 0.05) -> bool:
    """Look at a condition that nothing announces until it holds; False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        if time.monotonic() >= deadline:
            return False
        pause.wait(interval)
    return True
