"""Waiting for what nothing announces."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_until(condition: Callable[[], bool], timeout: float, interval: float = 0.05) -> bool:
    """Look at a condition until it holds.

    Args:
        condition: asked at once, then again and again.
        timeout: seconds after which it is given up; infinite is allowed.
        interval: seconds between two looks; default 0.05.

    Returns:
        False if it did not hold in time.
    """
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        if time.monotonic() >= deadline:
            return False
        pause.wait(interval)
    return True
