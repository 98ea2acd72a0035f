"""Measure one control in this process: `python -m benchmarks.drivers.controls Retry`; prints a JSON line."""

from __future__ import annotations

import itertools
import json
import logging
import os
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.drivers.task import TALLY, task
from fsdf_control import (
    CircuitBreaker,
    CronWindow,
    DeadLetterOnRequest,
    Deduplicate,
    Delay,
    Expire,
    Filter,
    KeyConcurrency,
    Pause,
    PrometheusMetrics,
    Quota,
    RateLimit,
    Records,
    RemoteKill,
    Requeue,
    Results,
    Retry,
    RunReport,
    SharedRateLimit,
    Statistics,
    Timeout,
    TimeWindow,
    Tracing,
)
from fsdf_core.batch import Batch
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_pools import ShrinkableThreadPoolExecutor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.broker import Queue
    from fsdf_core.control import Control
    from fsdf_core.records import RecordStore
    from fsdf_core.state import StateStore

WORKERS = 10
MESSAGES = 20_000
FEW = 4000
"""Messages of a variant that asks a file."""
MANY = 100_000
"""Messages of a variant that has room to put things off."""
BATCH = 1000
WARM_UP = 1000
PATIENCE = 60.0
UNREACHED = 1e7
"""A rate that never limits: what is measured is the cost of asking."""

NONE = "no control"
BOOST = "@boost (its default controls)"


@dataclass(frozen=True)
class Variant:
    """What is switched on.

    Attributes:
        build: returns the controls, given a new folder.
        extra: options of each message.
        batch: micro-batches.
        messages: how many run.
    """

    build: Callable[[Path], Sequence[Control]] = lambda _: ()
    extra: dict[str, Any] = field(default_factory=dict)
    batch: Batch | None = None
    messages: int = MESSAGES


class Subject(Protocol):
    """A task that can be published and consumed."""

    queue: Queue

    def publish(self, count: int) -> None: ...
    def start(self) -> object: ...
    def stop(self) -> object: ...


class Composed:
    """A consumer and a publisher with the variant's controls."""

    def __init__(self, variant: Variant, folder: Path) -> None:
        controls = variant.build(folder)
        self.queue = MemoryBroker().queue("bench")
        self._publisher = Publisher(self.queue, controls=controls)
        self._pool = ShrinkableThreadPoolExecutor(max_workers=WORKERS)
        function = each if variant.batch else task
        self._consumer = Consumer(function, queue=self.queue, pool=self._pool, controls=controls, batch=variant.batch)
        self._extra = variant.extra
        self._numbers = itertools.count()
        self.start, self.stop = self._consumer.start, self._consumer.stop

    def publish(self, count: int) -> None:
        # No two alike, so that nothing is filtered.
        numbers = itertools.islice(self._numbers, count)
        if self._extra:
            self._publisher.publish_many(({"x": number, "y": 2}, dict(self._extra)) for number in numbers)
        else:
            self._publisher.publish_many({"x": number, "y": 2} for number in numbers)


class Boosted:
    """The decorator with nothing set."""

    def __init__(self) -> None:
        from fsdf import BoosterParams, BrokerEnum, boost  # noqa: PLC0415 - not for the others

        params = BoosterParams(queue_name="bench", broker_kind=BrokerEnum.MEMORY_QUEUE, concurrent_num=WORKERS)
        self._task = boost(params)(task)
        self.queue = self._task.publisher.queue()
        self.start, self.stop = self._task.consume, self._task.consumer.stop

    def publish(self, count: int) -> None:
        self._task.push_many({"x": number, "y": 2} for number in range(count))


def each(calls: list[dict[str, Any]]) -> None:
    """Run the task for each call."""
    for call in calls:
        task(**call)


def memory() -> StateStore:
    return MemoryStateStore()


def sqlite(folder: Path) -> StateStore:
    from fsdf_brokers.states.sql import SQLStateStore  # noqa: PLC0415 - slow to import
    from fsdf_core.settings import Settings  # noqa: PLC0415 - as above

    return SQLStateStore.from_url(f"sqlite:///{(folder / 'state.sqlite').as_posix()}", Settings(home=folder))


def records(folder: Path) -> RecordStore:
    from fsdf_brokers.records.sql import SQLRecordStore  # noqa: PLC0415 - as above

    return SQLRecordStore(f"sqlite:///{(folder / 'records.sqlite').as_posix()}")


def later(hours: int) -> str:
    return f"{datetime.now().astimezone() + timedelta(hours=hours):%H:%M}"


VARIANTS: dict[str, Variant] = {
    NONE: Variant(),
    "CircuitBreaker": Variant(lambda _: [CircuitBreaker()]),
    'CircuitBreaker("rate")': Variant(lambda _: [CircuitBreaker("rate")]),
    "CronWindow": Variant(lambda _: [CronWindow("* * * * *")]),
    "DeadLetterOnRequest": Variant(lambda _: [DeadLetterOnRequest()]),
    "Deduplicate": Variant(lambda _: [Deduplicate(memory(), ttl=60)]),
    "Delay": Variant(lambda _: [Delay()]),
    "Delay, countdown=0 in each message": Variant(lambda _: [Delay()], extra={"countdown": 0}),
    "Expire": Variant(lambda _: [Expire(60)]),
    "Filter": Variant(lambda _: [Filter(memory())]),
    "Filter, SQLite store": Variant(lambda folder: [Filter(sqlite(folder))], messages=FEW),
    "KeyConcurrency": Variant(lambda _: [KeyConcurrency("x")]),
    "KeyConcurrency, shared": Variant(lambda _: [KeyConcurrency("x", store=memory())]),
    "Pause": Variant(lambda _: [Pause(memory())]),
    "PrometheusMetrics": Variant(lambda _: [PrometheusMetrics()]),
    "Quota": Variant(lambda _: [Quota(10**9, "d")]),
    "Quota, shared": Variant(lambda _: [Quota(10**9, "d", store=memory())]),
    "RateLimit": Variant(lambda _: [RateLimit(UNREACHED)]),
    "Records, SQLite store": Variant(lambda folder: [Records(lambda: records(folder), results=True)], messages=MANY),
    "RemoteKill": Variant(lambda _: [RemoteKill(memory())]),
    "Requeue": Variant(lambda _: [Requeue()]),
    "Results": Variant(lambda _: [Results(memory())]),
    "Results, nobody asks": Variant(lambda _: [Results(memory(), enabled=False)]),
    "Results, SQLite store": Variant(lambda folder: [Results(sqlite(folder))]),
    "Retry": Variant(lambda _: [Retry()]),
    "RunReport": Variant(lambda _: [RunReport(id)]),
    "SharedRateLimit": Variant(lambda _: [SharedRateLimit(UNREACHED, memory())]),
    "Statistics": Variant(lambda _: [Statistics()]),
    "Timeout": Variant(lambda _: [Timeout(10)]),
    "TimeWindow": Variant(lambda _: [TimeWindow.closed_between(later(6), later(7))]),
    "Tracing, no provider": Variant(lambda _: [Tracing()]),
    "micro-batches of 100": Variant(batch=Batch(100, 0.01)),
    BOOST: Variant(),
}


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Return microseconds a message: processor time of publishing, wall and processor time of consuming."""
    variant = VARIANTS[name]
    subject: Subject = Boosted() if name == BOOST else Composed(variant, folder)
    subject.publish(WARM_UP)
    _consume(subject, WARM_UP)
    count = variant.messages
    began = time.process_time()
    for _ in range(count // BATCH):
        subject.publish(BATCH)
    published = time.process_time() - began
    wall, processor = _consume(subject, WARM_UP + count)
    scale = 1e6 / count
    return {
        "phase": "control",
        "control": name,
        "count": count,
        "publish": published * scale,
        "wall": wall * scale,
        "processor": processor * scale,
    }


def _consume(subject: Subject, goal: int) -> tuple[float, float]:
    """Run until `goal` tasks have run in all; return wall and processor seconds, acknowledgements included."""
    TALLY.reached.clear()
    TALLY.expect(goal)
    began, processor = time.perf_counter(), time.process_time()
    subject.start()
    if not TALLY.reached.wait(PATIENCE):
        raise TimeoutError(f"only {TALLY.peek()} of {goal} messages ran in {PATIENCE:.0f} s")
    deadline = time.monotonic() + PATIENCE
    while subject.queue.size().total:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{subject.queue.size()} is not acknowledged after {PATIENCE:.0f} s")
        time.sleep(0.0005)
    taken = time.perf_counter() - began, time.process_time() - processor
    subject.stop()
    return taken


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    code = 1
    try:
        with tempfile.TemporaryDirectory(prefix="fsdf-bench-", ignore_cleanup_errors=True) as home:
            print(json.dumps(measure(sys.argv[1], Path(home))))
        code = 0
    except Exception:  # noqa: BLE001 - told, then the process is left in any case
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
