"""All systems in turn, round after round, so that a drift of the machine meets all of them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from benchmarks.runner import Load, PhaseError, run_phase
from benchmarks.servers import NEEDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.servers import Servers
    from benchmarks.systems import System

Pair = tuple["System", str]

PUBLISH_ONE = "publish_one"
PUBLISH_BULK = "publish_bulk"
CONSUME = "consume"
MEMORY = "megabytes"
IDLE = "idle"
LATENCY = "latency"
LATENCY_99 = "latency_99"
MEASURES = (PUBLISH_ONE, PUBLISH_BULK, CONSUME, MEMORY, IDLE)

IDLE_AT_ONCE = 6
"""Idle workers watched at the same time: they count processor time, which others hardly change."""

STEADY_ROUNDS = 3
"""Rounds that measure memory, idle CPU and latency as well; these vary less than rates, and take long."""


class Results:
    """Every run's figures, and their medians.

    Attributes:
        lines: each result line as the driver sent it, with `system`, `transport` and `round`.
        failures: what went wrong, each with where it did.
    """

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.failures: dict[str, list[str]] = {}
        self._values: dict[tuple[str, str, str], list[float]] = defaultdict(list)

    def add(self, pair: Pair, number: int, line: dict[str, Any]) -> None:
        """Keep one line."""
        system, transport = pair
        self.lines.append(
            {"system": system.name, "driver": system.driver, "transport": transport, "round": number} | line
        )
        measure, value = _figure(line)
        if value is not None:
            self._values[system.driver, transport, measure].append(value)

    def fail(self, where: str, message: str) -> None:
        """Keep one failure."""
        places = self.failures.setdefault(message, [])
        if where not in places:
            places.append(where)

    def values(self, driver: str, transport: str, measure: str) -> list[float]:
        """Return the figures of all runs."""
        return self._values.get((driver, transport, measure), [])

    def median(self, driver: str, transport: str, measure: str) -> float | None:
        """Return the median over the runs, or None if there is none."""
        values = self.values(driver, transport, measure)
        return statistics.median(values) if values else None


def run_rounds(
    pairs: Sequence[Pair], runs: int, load: Load, servers: Servers, say: Callable[[str], None] = lambda _: None
) -> Results:
    """Measure every pair `runs` times."""
    results = Results()

    def measure(pair: Pair, phase: str, number: int) -> None:
        try:
            with servers.place(pair[1]) as place:
                lines = run_phase(*pair, phase, load, place)
        except PhaseError as failure:
            results.fail(f"{pair[0].name} {pair[1]} {phase}", str(failure))
            return
        for line in lines:
            results.add(pair, number, line)

    for number in range(1, runs + 1):
        steady = number <= STEADY_ROUNDS
        for pair in pairs:
            for phase in ("publish", "consume", "latency") if steady and pair[1] in NEEDED else ("publish", "consume"):
                say(f"run {number}/{runs}: {pair[0].name} {pair[1]} {phase}")
                measure(pair, phase, number)
        if not steady:
            continue
        say(f"run {number}/{runs}: idle workers")
        with ThreadPoolExecutor(IDLE_AT_ONCE) as threads:
            list(threads.map(lambda pair, number=number: measure(pair, "rest", number), pairs))
    return results


def _figure(line: dict[str, Any]) -> tuple[str, float | None]:
    """Return the line's measure and its figure: messages a second, MB, per cent or milliseconds."""
    match line["phase"]:
        case "memory":
            return MEMORY, line["megabytes"]
        case "idle":
            return IDLE, line["percent"]
        case "latency" | "latency_99" as measure:
            return measure, line["milliseconds"]
        case phase:
            return phase, line["count"] / line["seconds"]
