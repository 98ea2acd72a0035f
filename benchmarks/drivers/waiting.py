"""Measure the memory of coroutines that wait: `python -m benchmarks.drivers.waiting 10000`; prints MB."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading

from benchmarks.drivers.meter import resident_memory
from fsdf import BoosterParams, BrokerEnum, ConcurrentModeEnum


def main() -> float:
    """Return how many MB the process grows by between one waiting coroutine and all of them."""
    count = int(sys.argv[1])
    logging.disable(logging.WARNING)
    begun = threading.Semaphore(0)

    async def wait(number: int) -> None:
        begun.release()
        await asyncio.sleep(3600 + number)

    task = BoosterParams(
        queue_name="waiting",
        broker_kind=BrokerEnum.MEMORY_QUEUE,
        concurrent_mode=ConcurrentModeEnum.ASYNC,
        concurrent_num=count + 1,
    )(wait)
    task.push(0)
    task.consume()
    _await(begun, 1)
    before = resident_memory()
    task.push_many((number,) for number in range(count))
    _await(begun, count)
    return resident_memory() - before


def _await(begun: threading.Semaphore, count: int) -> None:
    for _ in range(count):
        if not begun.acquire(timeout=60):
            raise TimeoutError("the coroutines do not begin")


if __name__ == "__main__":
    print(f"{main():.1f}")
    sys.stdout.flush()
    os._exit(0)
