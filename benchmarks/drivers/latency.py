"""From push to start: a process pushes now and then, and an idle worker in another notes when each task starts.

Both read CLOCK_MONOTONIC, which on one machine is the same for all processes (Linux, macOS).
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.drivers.driver import Driver

WARM_UP = 50
TIMED = 300
INTERVAL = 0.005, 0.015
"""Seconds between pushes, evenly distributed: 10 ms on average."""
PATIENCE = 40.0
"""Seconds that everything may take."""
FLUSH = 0.5
"""Seconds after the last push for clients that send in the background."""


class Stopwatch:
    """The task of this phase: its first argument is the time of its push."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, int]] = []
        self.done = threading.Event()

    def task(self, x: int, y: int) -> None:
        """Note how long ago the push was."""
        del y
        self.runs.append((x, time.monotonic_ns() - x))
        if len(self.runs) >= WARM_UP + TIMED:
            self.done.set()


STOPWATCH = Stopwatch()


def task(x: int, y: int) -> None:
    """Forward: some systems refuse methods."""
    STOPWATCH.task(x, y)


def latency(driver: Driver, _: float) -> Iterator[dict[str, Any]]:
    """Start the worker, let another process push, and sum up."""
    driver.start()
    words = ["pace" if word == "latency" else word for word in sys.argv[1:]]
    sender = subprocess.Popen([sys.executable, "-m", "benchmarks.drivers.main", *words], stdout=subprocess.DEVNULL)
    try:
        if not STOPWATCH.done.wait(PATIENCE):
            raise TimeoutError(f"only {len(STOPWATCH.runs)} of {WARM_UP + TIMED} pushes ran in {PATIENCE:.0f} s")
    finally:
        sender.kill()
        sender.wait()
    times = sorted(nanoseconds / 1e6 for _, nanoseconds in sorted(STOPWATCH.runs)[WARM_UP:])
    yield {"phase": "latency", "milliseconds": statistics.median(times), "count": len(times), "longest": times[-1]}
    yield {"phase": "latency_99", "milliseconds": times[int(0.99 * len(times))]}


def pace(driver: Driver, _: float) -> Iterator[dict[str, Any]]:
    """Push the time of the push, at intervals."""
    for _number in range(WARM_UP + TIMED):
        time.sleep(random.uniform(*INTERVAL))
        driver.publish((time.monotonic_ns(),))
    time.sleep(FLUSH)
    yield {"phase": "pace"}
