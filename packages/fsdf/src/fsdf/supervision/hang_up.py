"""SIGHUP reloads the supervisors of the process, where the signal exists and nobody else has taken it.

A terminal that is closed sends the same signal; then the process shall end, as others do.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsdf.supervision.supervisor import Supervisor

_supervisors: tuple[Supervisor, ...] = ()
_lock = threading.Lock()
_had_terminal = False


def reload_on_hang_up(supervisor: Supervisor) -> None:
    """Let SIGHUP reload it. Does nothing outside the main thread or where the signal has a handler."""
    global _supervisors, _had_terminal  # noqa: PLW0603 - replaced whole: the signal handler takes no lock
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGHUP"):
        return
    if signal.getsignal(signal.SIGHUP) not in {signal.SIG_DFL, _on_hang_up}:
        return
    with _lock:
        _supervisors = (*_supervisors, supervisor)
        _had_terminal = _has_terminal()
    signal.signal(signal.SIGHUP, _on_hang_up)


def forget(supervisor: Supervisor) -> None:
    """Reload it no more."""
    global _supervisors  # noqa: PLW0603 - as above
    with _lock:
        _supervisors = tuple(each for each in _supervisors if each is not supervisor)


def _on_hang_up(*_: Any) -> None:
    if _had_terminal and not _has_terminal():
        os.kill(os.getpid(), signal.SIGTERM)
        return
    for supervisor in _supervisors:
        supervisor.reload()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
