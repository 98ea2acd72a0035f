"""The pools that tests run on, and tasks that do not end by themselves. Under a monkey patch: its library's."""

import threading
import time

from fsdf_core.green.native import patched_by
from fsdf_core.registry import pools
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor, SoloExecutor

GREEN = patched_by()
THREADS = [pools.get(GREEN)] if GREEN else [ShrinkableThreadPoolExecutor, SoloExecutor]
"""Pools that run plain functions."""
POOLS = THREADS if GREEN else [*THREADS, AsyncPool]


def spin():
    """Go on for ever. Greenlets can be interrupted only where they give way."""
    while True:
        if GREEN:
            time.sleep(0.001)


def stick(release: threading.Event, seconds: float) -> None:
    """Wait where no interrupt reaches: threads in C; greenlets, which are always reached, ignore it."""
    ends = time.monotonic() + seconds
    while GREEN and not release.is_set() and time.monotonic() < ends:
        try:
            release.wait(seconds)
        except BaseException:  # noqa: BLE001 - that is what it is about
            continue
    release.wait(0 if GREEN else seconds)
