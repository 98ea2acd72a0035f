"""A consumer with controls of its own, as one process has it, from its start to its stop or death."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from fsdf_control import (
    CircuitBreaker,
    Constant,
    DeadLetterOnRequest,
    Delay,
    Expire,
    Filter,
    KeyConcurrency,
    Pause,
    Quota,
    RateLimit,
    RemoteKill,
    Requeue,
    Retry,
    RunReport,
    Statistics,
    Timeout,
    TimeWindow,
)
from fsdf_core.batch import Batch
from fsdf_core.consumer import Consumer
from fsdf_core.testing.clock import ManualClock
from fsdf_pools import AsyncPool

from .ledger import Ledger, Record, Task
from .mortal import Life, MortalBroker, MortalStore
from .pools import THREADS
from .promises import DEAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.brokers.memory import MemoryBroker
    from fsdf_core.control import Control
    from fsdf_core.states.memory import MemoryStateStore

    from .histories import History

NOON = 12 * 3600.0
GRACE = 5.0
_NO_FATES = {"Release", "Requeue", "Delay", "success", "failed", "runs", "ran", "outcomes"}


class MortalProcess:
    """One life.

    Args:
        history: what it consists of.
        record: where it is written down.
        world: the queues, which outlive it.
        store: likewise.
    """

    def __init__(self, history: History, record: Record, world: MemoryBroker, store: MemoryStateStore) -> None:
        self.life = Life()
        self._record = record
        self._exact = not history.events
        self._store = MortalStore(store, self.life)
        self._pool = _pool(history)
        self._task = Task(record, self.life)
        self._batched = bool(history.batch)
        self.rules = {name: self._build(name, dict(options)) for name, options in history.controls.items()}
        record.begin_life()
        self.consumer = Consumer(
            self._function(history),
            queue=MortalBroker(world, self.life, delay=history.broker_delays).queue("q"),
            pool=self._pool,
            controls=[Ledger(record, self.life, short_way=history.short_way), *self.rules.values()],
            max_deliveries=history.max_deliveries,
            batch=Batch(history.batch, 0.01) if history.batch else None,
            logger=logging.getLogger("fsdf.promises"),
        )

    def _function(self, history: History) -> Callable[..., Any]:
        if history.coroutines:
            return self._task.many_async if history.batch else self._task.one_async
        return self._task.many if history.batch else self._task.one

    def start(self) -> None:
        """Consume."""
        self._record.begin_run()
        self.consumer.start()

    def stop(self) -> None:
        """Stop in order, and compare what the controls have counted."""
        assert self.consumer.stop(GRACE), "tasks were left behind at a stop"
        tally = self._record.tally
        if "Statistics" in self.rules:
            seen = self.rules["Statistics"].snapshot()
            counts = (seen.succeeded, seen.failed, seen.dead_letters, seen.requeued)
            told = (
                tally["success"],
                tally["failed"],
                sum(tally[fate] for fate in DEAD),
                tally["Requeue"] + tally["Delay"],
            )
            assert counts == told, (seen, tally)
            dropped = {fate: count for fate, count in tally.items() if count and fate not in _NO_FATES | DEAD}
            assert seen.dropped == dropped, (seen, tally)
            assert not self._exact or seen.retries == tally["runs"] - tally["ran"], (seen, tally)
        if "RunReport" in self.rules:
            assert len(self._record.reports) == tally["outcomes"], (self._record.reports, tally)

    def crash(self) -> None:
        """Die; what is left of the process in this one is cleaned up."""
        self.life.end()
        self.consumer.stop(GRACE)

    def bury(self) -> None:
        """End the pool; afterwards no thread is left."""
        assert self._pool.close(GRACE)
        rule = self.rules.get("KeyConcurrency")
        if rule is not None:
            most = max(self._record.most.values(), default=0)
            assert most <= rule._limit, f"{most} ran at once"

    def _build(self, name: str, options: dict[str, Any]) -> Control:
        store = self._store if options.pop("shared", False) else None
        kinds: dict[str, Callable[..., Control]] = {
            "CircuitBreaker": partial(self._breaker, store=store, min_calls=3, recovery_timeout=0.005),
            "DeadLetterOnRequest": DeadLetterOnRequest,
            "Delay": Delay,
            "Expire": Expire,
            "Filter": partial(Filter, self._store, key=lambda message: str(message.arguments["same"])),
            "KeyConcurrency": partial(KeyConcurrency, "site", store=store, retry_after=0.01),
            "Pause": partial(Pause, self._store),
            "Quota": partial(Quota, 100_000, "d", store=store),
            "RateLimit": RateLimit,
            "RemoteKill": partial(RemoteKill, self._store),
            "Requeue": Requeue,
            "Retry": self._retry,
            "RunReport": partial(RunReport, lambda status: self._record.reports.append(status.task_id)),
            "Statistics": Statistics,
            "TimeWindow": partial(TimeWindow.closed_between, "03:00", "04:00", timezone="UTC", clock=ManualClock(NOON)),
            "Timeout": Timeout,
        }
        return kinds[name](**options)

    def _breaker(self, *, fallback: bool, **options: Any) -> CircuitBreaker:
        instead = self._task.many_fallbacks if self._batched else self._task.fallback
        return CircuitBreaker(fallback=instead if fallback else None, **options)

    def _retry(self, *, backoff: float | None, never: bool, **options: Any) -> Retry:
        wait = None if backoff is None else Constant(backoff)
        return Retry(backoff=wait, never_on=(KeyError,) if never else (), **options)


def _pool(history: History) -> Any:
    if history.coroutines:
        return AsyncPool(max_workers=max(1, history.workers))
    return THREADS[0](max_workers=history.workers) if history.workers else THREADS[-1](max_workers=1)
