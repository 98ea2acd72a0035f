"""Starting a child process by "spawn" from any thread, at any time, also when the script has come to its end."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

_starting = threading.Lock()
"""`multiprocessing` counts on one thread that starts processes."""


def start(process: SpawnProcess, main_file: str | None) -> bool:
    """Start a process; return whether `multiprocessing` has surely told it which script this one runs.

    Python deletes `__main__.__file__` when a script has come to its end, maybe at this moment. A process for which
    this returns False may not find what the script defines: end it and start another one.

    Args:
        process: not yet started.
        main_file: the script, if this process runs one.

    Raises:
        OSError: the system has no process or no pipe left.
    """
    with _starting:
        main = sys.modules["__main__"]
        if main_file is not None and not hasattr(main, "__file__"):
            main.__file__ = main_file
        process.start()
        return main_file is None or hasattr(main, "__file__")
