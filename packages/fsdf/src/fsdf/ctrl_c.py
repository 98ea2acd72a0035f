"""Keep the main thread waiting for a signal."""

from __future__ import annotations

import threading

from fsdf.supervision.role import role
from fsdf_core import lifecycle


def ctrl_c_recv() -> None:
    """Wait for Ctrl-C or SIGTERM: consumers then drain and the process ends with status 0.

    Not needed after `consume()`, which keeps the process alive by itself.
    """
    from fsdf_core.settings import get_settings  # noqa: PLC0415 - takes long

    if role.importing():
        return  # a worker process would never come to its work
    if get_settings().handle_signals:
        lifecycle.install_signal_handlers()
    waiting = threading.Event()
    try:
        # A wait without end cannot be interrupted on Windows.
        while not waiting.wait(1.0):
            pass
    except KeyboardInterrupt:
        lifecycle.stop_all()
