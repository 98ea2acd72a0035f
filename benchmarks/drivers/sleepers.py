"""Run one latency measurement: `python -m benchmarks.drivers.sleepers fsdf THREADING redis 1000 …`; prints a JSON line.

Tasks that sleep are published first; the clock runs from the start of the worker to the end of the last task.
"""

from __future__ import annotations

import sys

_MODE = sys.argv[2] if __name__ == "__main__" else ""
# Nothing may be imported before the patch.
if _MODE == "GEVENT":
    from gevent import monkey

    monkey.patch_all()
elif _MODE == "EVENTLET":
    import eventlet

    eventlet.monkey_patch()

import argparse  # noqa: E402 - as said
import asyncio  # noqa: E402
import importlib  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
from typing import TYPE_CHECKING, Any, NamedTuple  # noqa: E402

from benchmarks.drivers.meter import peak_memory  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT = 150.0
"""Seconds that the worker has."""


class Work(NamedTuple):
    """What a driver gets; it publishes in `build`, and returns what starts the worker.

    Attributes:
        mode: THREADING, ASYNC, GEVENT or EVENTLET.
        workers: tasks that may run at once.
        sleeps: the seconds of each task.
        task: a plain function of the seconds; for ASYNC an `async def`.
    """

    mode: str
    transport: str
    queue: str
    address: str
    workers: int
    sleeps: Sequence[float]
    task: Callable[[float], Any]


class Ends:
    """Counts tasks that have ended, and notes when the last one did."""

    def __init__(self, goal: int) -> None:
        self.reached = threading.Event()
        self.last = 0.0
        self._goal = goal
        self._numbers = itertools.count(1)

    @property
    def ended(self) -> int:
        """How many have."""
        return int(self._numbers.__reduce__()[1][0]) - 1

    def count(self) -> None:
        """Count one."""
        if next(self._numbers) == self._goal:
            self.last = time.perf_counter()
            self.reached.set()


def task_of(mode: str, ends: Ends) -> Callable[[float], Any]:
    """Return the task: a function, not a method, which would travel with its object."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        ends.count()

    async def sleep_async(seconds: float) -> None:
        await asyncio.sleep(seconds)
        ends.count()

    return sleep_async if mode == "ASYNC" else sleep


def sleeps(count: int, seed: int) -> list[float]:
    """Return the seconds of each task, as in magne's benchmark: 10 s for 1 %, else 5 s, 3 s or 1 s."""
    dice = random.Random(seed)
    return [_seconds(dice.randint(1, 100)) for _ in range(count - 1)] + [10.0]


def _seconds(thrown: int) -> float:
    if thrown == 1:
        return 10.0
    if thrown <= 30:
        return 5.0
    return 3.0 if thrown <= 50 else 1.0


def main() -> int:
    """Measure, and print the line."""
    parser = argparse.ArgumentParser()
    for name in ("driver", "mode", "transport"):
        parser.add_argument(name)
    parser.add_argument("count", type=int)
    parser.add_argument("--workers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queue", default="bench")
    parser.add_argument("--address", default="")
    options = parser.parse_args()
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    logging.disable(logging.WARNING)
    waits = sleeps(options.count, options.seed)
    ends = Ends(options.count)
    module = importlib.import_module(f"benchmarks.drivers.sleepers_{options.driver}")
    start = module.build(
        Work(
            options.mode,
            options.transport,
            options.queue,
            options.address,
            options.workers,
            waits,
            task_of(options.mode, ends),
        )
    )
    cpu = time.process_time()
    began = time.perf_counter()
    start()
    done = ends.reached.wait(LIMIT)
    line = {
        "seconds": (ends.last if done else time.perf_counter()) - began,
        "longest": max(waits),
        "ended": ends.ended,
        "processor": time.process_time() - cpu,
        "megabytes": peak_memory(),
    }
    results.write(json.dumps(line) + "\n")
    results.flush()
    return 0


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    except Exception:  # noqa: BLE001 - told, then the process is left in any case
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
