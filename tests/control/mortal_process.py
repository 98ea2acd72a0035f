"""A consumer with controls of its own, as one process has it, from its start to its stop or death."""

from __future__ import annotations

import logging
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
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

from .ledger import Ledger, Record, Task
from .mortal import Life, MortalBroker, MortalStore
from .promises import DEAD

if TYPE_CHECKING:
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
        self._pool = ShrinkableThreadPoolExecutor(max_workers=history.workers) if history.workers else SoloExecutor()
        self._task = Task(record, self.life)
        self._batched = bool(history.batch)
        self.rules = {name: self._build(name, dict(options)) for name, options in history.controls.items()}
        record.begin_life()
        self.consumer = Consumer(
            self._task.many if history.batch else self._task.one,
            queue=MortalBroker(world, self.life, delay=history.broker_delays).queue("q"),
            pool=self._pool,
            controls=[Ledger(record, self.life, short_way=history.short_way), *self.rules.values()],
            max_deliveries=history.max_deliveries,
            batch=Batch(history.batch, 0.01) if history.batch else None,
            logger=logging.getLogger("fsdf.promises"),
        )

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
            told = (tally["success"], tally["failed"], sum(tally[fate] for fate in DEAD), tally["Requeue"] + tally["Delay"])
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
        match name:
            case "Filter":
                return Filter(self._store, key=lambda message: str(message.arguments["same"]), **options)
            case "KeyConcurrency":
                return KeyConcurrency("site", store=store, retry_after=0.01, **options)
            case "Quota":
                return Quota(100_000, "d", store=store, **options)
            case "Retry":
                return self._retry(**options)
            case "Timeout":
                return Timeout(**options)
            case "CircuitBreaker":
                instead = self._task.many_fallbacks if self._batched else self._task.fallback
                fallback = instead if options.pop("fallback") else None
                return CircuitBreaker(fallback=fallback, min_calls=3, recovery_timeout=0.005, store=store, **options)
            case "RunReport":
                return RunReport(lambda status: self._record.reports.append(status.task_id))
            case "Pause":
                return Pause(self._store)
            case "RemoteKill":
                return RemoteKill(self._store)
            case "TimeWindow":
                return TimeWindow.closed_between("03:00", "04:00", timezone="UTC", clock=ManualClock(NOON))
        simple = {"Expire": Expire, "Delay": Delay, "RateLimit": RateLimit, "Requeue": Requeue}
        return {**simple, "DeadLetterOnRequest": DeadLetterOnRequest, "Statistics": Statistics}[name](**options)

    def _retry(self, *, backoff: float | None, never: bool, **options: Any) -> Retry:
        wait = None if backoff is None else Constant(backoff)
        return Retry(backoff=wait, never_on=(KeyError,) if never else (), **options)
