"""What happened: an outermost control that writes down runs and fates, and the task whose runs follow plans."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fsdf_core.batch import members_of
from fsdf_core.context import current_message
from fsdf_core.control import Control
from fsdf_core.errors import (
    ExceptionForPushToDlxqueue,
    ExceptionForRequeue,
    ExceptionForRetry,
    TaskTimeout,
)
from fsdf_core.verdict import DeadLetter, Delay, Drop, Release, Requeue

from .mortal import Dead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsdf_core.control import AsyncCall
    from fsdf_core.control import Call as Run
    from fsdf_core.message import Message

    from .histories import Call
    from .mortal import Life

LIMIT_OF_SPINNING = 3.0
ERRORS = {
    "error": ValueError,
    "never": KeyError,
    "retry": ExceptionForRetry,
    "requeue": ExceptionForRequeue,
    "dead": ExceptionForPushToDlxqueue,
    "exit": SystemExit,
}


def key_of(message: Message) -> int | bytes:
    """Return the number of a call, or the body of what is none."""
    return message.arguments["n"] if "n" in message.arguments else bytes(message.delivery.body)


class Record:
    """The whole history, over all lives."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.plans = {call.n: call.plan for call in calls}
        self.due: dict[int, float] = {}
        self.lock = threading.RLock()
        self.starts = 0
        self.steps: defaultdict[int, list[str]] = defaultdict(list)
        self.begun: dict[int, str] = {}
        self.attempts: Counter[int] = Counter()
        self.fallen: set[int] = set()
        self.blurred: set[int] = set()
        self.killed_late: set[int] = set()
        self.fates: defaultdict[int | bytes, list[str]] = defaultdict(list)
        self.faults: list[str] = []
        self.begin_life()

    def begin_life(self) -> None:
        """Forget what a dead process was doing."""
        self.running: defaultdict[int, set[int]] = defaultdict(set)
        self.most: Counter[int] = Counter()
        self.begin_run()

    def begin_run(self) -> None:
        """Count for one start of a consumer."""
        self.tally: Counter[str] = Counter()
        self.reports: list[str] = []

    def unended(self) -> list[int]:
        """Return the calls without a fate."""
        return [n for n in self.plans if not self.fates[n]]

    def begin(self, message: Message) -> str:
        """Write down that a call begins; return what it does."""
        n = message.arguments["n"]
        with self.lock:
            steps, plan = self.steps[n], self.plans[n]
            step = plan[min(len(steps), len(plan) - 1)]
            steps.append(step)
            self.starts += 1
            self.attempts[n] = max(self.attempts[n], message.attempt)
            site = message.arguments["site"]
            self.running[site].add(n)
            self.most[site] = max(self.most[site], len(self.running[site]))
            self.tally["runs"] += 1
        if time.time() < self.due.get(n, 0.0) - 0.02:
            self.faults.append(f"call {n} ran {self.due[n] - time.time():.3f} s early")
        return step


class Ledger(Control):
    """Writes down what this life does.

    Args:
        record: of the whole history.
        life: nothing is done or written down after its end.
        short_way: let plain messages run without `around`, as they do where no control needs it.
    """

    wants_outcomes = False

    def __init__(self, record: Record, life: Life, *, short_way: bool) -> None:
        self._record = record
        self._life = life
        self.around_options_only = short_way

    def around(self, call: Run) -> Run:
        def noted(message: Message) -> Any:
            with self._noting(message):
                return call(message)

        return noted

    def around_async(self, call: AsyncCall) -> AsyncCall:
        async def noted(message: Message) -> Any:
            with self._noting(message):
                return await call(message)

        return noted

    @contextmanager
    def _noting(self, message: Message) -> Iterator[None]:
        record = self._record
        if self._life.over:
            raise Dead
        begun = {member.arguments["n"]: record.begin(member) for member in members_of(message)}
        record.begun.update(begun)
        try:
            yield
        except TaskTimeout:
            if "spin" not in begun.values():
                record.blurred.update(begun)  # the machine was busy
            raise

    def on_settle(self, messages: Sequence[Message]) -> None:
        record = self._record
        with self._life.operation(), record.lock:
            for message in messages:
                key = key_of(message)
                fate = fate_of(message)
                record.tally[fate] += 1
                record.tally["outcomes"] += message.outcome is not None
                record.tally["ran"] += message.outcome is not None or message.settlement is None
                if not isinstance(message.settlement, Requeue | Delay | Release):
                    record.fates[key].append(fate)
                if isinstance(key, int):
                    record.running[message.arguments["site"]].discard(key)


def fate_of(message: Message) -> str:
    """Return what becomes of a message that leaves the consumer, in a word."""
    settlement, outcome = message.settlement, message.outcome
    match settlement:
        case None:
            return "success" if outcome is None or outcome.success else "failed"
        case Drop(reason):
            return reason.partition(":")[0]
        case DeadLetter(reason):
            if outcome is not None:
                return "dead"
            return "overdelivered" if reason.startswith("delivered") else reason
    return type(settlement).__name__


class Task:
    """The function: does what the plan of its call says.

    Args:
        record: where the plans are.
        life: ends waits.
    """

    def __init__(self, record: Record, life: Life) -> None:
        self._record = record
        self._life = life

    def one(self, n: int, site: int, same: int) -> int:
        if self._begin(n) == "spin":
            pause, ends = threading.Event(), time.monotonic() + LIMIT_OF_SPINNING
            while time.monotonic() < ends and not self._life.over:
                pause.wait(0.002)
            self._not_ended(n)
        return n

    async def one_async(self, n: int, site: int, same: int) -> int:
        if self._begin(n) == "spin":
            ends = time.monotonic() + LIMIT_OF_SPINNING
            while time.monotonic() < ends and not self._life.over:
                await asyncio.sleep(0.002)
            self._not_ended(n)
        return n

    def _begin(self, n: int) -> str:
        """Return "ok" or "spin"; other steps are raised."""
        step = self._record.begun.pop(n, None)
        if step is None:
            if self._life.over:
                raise Dead
            step = self._record.begin(current_message.get())
        if step in ERRORS:
            raise ERRORS[step](f"{n}")
        return step

    def _not_ended(self, n: int) -> None:
        if not self._life.over:
            self._record.faults.append(f"call {n} was not ended")

    def many(self, calls: list[dict[str, int]]) -> list[Any]:
        results: list[Any] = []
        for call in calls:
            try:
                results.append(self.one(**call))
            except BaseException as error:  # noqa: BLE001 - as the contract of batches has it
                results.append(error)
        return results

    async def many_async(self, calls: list[dict[str, int]]) -> list[Any]:
        results: list[Any] = []
        for call in calls:
            try:
                results.append(await self.one_async(**call))
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 - as above
                results.append(error)
        return results

    def fallback(self, n: int, site: int, same: int) -> str:
        self._record.begun.pop(n, None)
        self._record.fallen.add(n)
        return "instead"

    def many_fallbacks(self, calls: list[dict[str, int]]) -> list[str]:
        return [self.fallback(**call) for call in calls]
