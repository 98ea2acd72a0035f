"""Log lines on standard error, for programs that have set up no logging."""

from __future__ import annotations

import logging
import threading

_FORMAT = "%(asctime)s %(levelname)-7s %(processName)s %(name)s: %(message)s"
_lock = threading.Lock()


def write_log_lines() -> None:
    """Give the logger `fsdf` a handler, unless it or the root logger has one. Idempotent."""
    logger = logging.getLogger("fsdf")
    with _lock:
        if not logger.hasHandlers():
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter(_FORMAT))
            logger.addHandler(handler)
