"""Something to do when the main thread has ended, before the interpreter takes anything apart."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def before_shutdown(call: Callable[[], None]) -> None:
    """Call it in the main thread when that ends, while the standard library's executors are still open.

    `atexit` comes later, and so does the wait for threads that are no daemons: by then no task could use a
    `ThreadPoolExecutor` or `asyncio.to_thread`. Where Python has no such hook, nothing is called.
    """
    register = getattr(threading, "_register_atexit", None)
    if register is None:
        return
    import concurrent.futures.thread  # noqa: F401, PLC0415 - what is registered later is called earlier

    with contextlib.suppress(RuntimeError):  # the main thread has ended already
        register(call)
