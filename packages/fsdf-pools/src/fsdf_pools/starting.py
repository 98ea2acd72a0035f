"""Starting threads by the thousand.

`Thread.start` waits until the new thread runs: two switches between threads, which cost as much as the rest of a
start. The wait is that of the thread's own event, which has this name in Python 3.10 to 3.13, gevent and eventlet;
where it is another one day, threads start as slowly as ever.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


def start(thread: threading.Thread) -> None:
    """Start a thread; until it has taken its first steps `is_alive` says that it is not.

    Args:
        thread: The thread.

    Raises:
        RuntimeError: The system refused it.
    """
    with contextlib.suppress(AttributeError):
        thread._started.wait = _at_once  # type: ignore[attr-defined] # noqa: SLF001
    thread.start()


def await_begin(thread: threading.Thread, timeout: float) -> None:
    """Wait until a thread that was started runs.

    Args:
        thread: The thread.
        timeout: Seconds to wait at most; not above 0: not at all.
    """
    with contextlib.suppress(AttributeError):
        begun = thread._started  # type: ignore[attr-defined] # noqa: SLF001
        if not begun.is_set():
            type(begun).wait(begun, max(0.0, timeout))


def _at_once(timeout: float | None = None) -> bool:  # noqa: ARG001 - as `Event.wait`
    return True
