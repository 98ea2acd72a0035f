"""The phases that a driver is measured in; each yields the fields of its result lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.drivers.latency import latency, pace
from benchmarks.drivers.meter import cpu_percent, peak_memory
from benchmarks.drivers.task import TALLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.drivers.driver import Driver

BATCH = 1000
"""Messages in one call of a bulk publish."""
MOST = 400_000
"""Messages in one phase at most, so that a fast system does not fill the memory."""
SAMPLE = 2000
"""Messages pushed and run before peak memory is read: the same number for every system."""
PATIENCE = 60.0
"""Seconds that the sample may take."""
SETTLE = 1.0
"""Seconds between the last task and the idle measurement."""


class Feed:
    """Publishes with one of a driver's ways, in steps of about 20 ms, and counts."""

    def __init__(self, publish: Callable[[int], None], step: int | None = None) -> None:
        self.total = 0
        self._publish = publish
        self._step = self._pace(step)

    def run(self, seconds: float) -> tuple[int, float]:
        """Publish for that long; return how many, and how long it took."""
        count = 0
        began = time.perf_counter()
        elapsed = 0.0
        while elapsed < seconds and self.total < MOST:
            self._publish(self._step)
            self.total += self._step
            count += self._step
            elapsed = time.perf_counter() - began
        return count, elapsed

    def _pace(self, given: int | None) -> int:
        """Warm up, and return how many messages take about 20 ms, unless the step is given."""
        step = given or 1
        while True:
            began = time.perf_counter()
            self._publish(step)
            self.total += step
            if given or time.perf_counter() - began > 0.02:
                return step
            step *= 2


def _one_by_one(driver: Driver) -> Callable[[int], None]:
    return lambda count: driver.publish(range(count))


def publish(driver: Driver, seconds: float) -> Iterator[dict[str, Any]]:
    """Publish one by one, then in bulk."""
    count, elapsed = Feed(_one_by_one(driver)).run(seconds)
    yield {"phase": "publish_one", "count": count, "seconds": elapsed}
    if driver.publish_bulk:
        count, elapsed = Feed(driver.publish_bulk, BATCH).run(seconds)
        yield {"phase": "publish_bulk", "count": count, "seconds": elapsed}


def consume(driver: Driver, seconds: float) -> Iterator[dict[str, Any]]:
    """Publish a backlog, start the worker, stop the clock at the last message or after twice the seconds."""
    feed = Feed(driver.publish_bulk, BATCH) if driver.publish_bulk else Feed(_one_by_one(driver))
    feed.run(seconds)
    TALLY.expect(feed.total)
    cpu = time.process_time()
    began = time.perf_counter()
    driver.start()
    drained = TALLY.reached.wait(2 * seconds)
    count = feed.total if drained else TALLY.peek()
    ended = TALLY.last if drained else time.perf_counter()
    yield {
        "phase": "consume",
        "count": count,
        "seconds": ended - began,
        "start_up": TALLY.first - began if count else None,
        "cpu_seconds": time.process_time() - cpu,
        "drained": drained,
    }


def rest(driver: Driver, seconds: float) -> Iterator[dict[str, Any]]:
    """Push and run a sample, read the peak memory, then watch the idle worker."""
    TALLY.expect(SAMPLE)
    driver.publish(range(SAMPLE))
    driver.start()
    if not TALLY.reached.wait(PATIENCE):
        raise TimeoutError(f"only {TALLY.peek()} of {SAMPLE} messages ran in {PATIENCE:.0f} s")
    time.sleep(SETTLE)
    yield {"phase": "memory", "megabytes": peak_memory(), "ran": TALLY.peek()}
    yield {"phase": "idle", "percent": cpu_percent(seconds), "seconds": seconds}


PHASES = {"publish": publish, "consume": consume, "rest": rest, "latency": latency, "pace": pace}
