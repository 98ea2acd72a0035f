"""What each control costs a message: the same no-op tasks, with the control and without."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from rich.table import Table

from benchmarks.drivers.controls import NONE, VARIANTS
from benchmarks.environments import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.rounds import Results

SECTION = "controls"
"""What `--only` calls it."""

LIMIT = 90.0
"""Seconds after which a process counts as hung."""

PUBLISH = "publish"
WALL = "wall"
PROCESSOR = "processor"
HEADERS = {PROCESSOR: "consume\nCPU µs", WALL: "consume\nwall µs", PUBLISH: "publish\nCPU µs"}


class Costs:
    """Every run's microseconds a message, by variant."""

    def __init__(self) -> None:
        self._rounds: list[dict[str, dict[str, Any]]] = []

    def __bool__(self) -> bool:
        return any(self._rounds)

    def begin(self) -> None:
        """Begin a round."""
        self._rounds.append({})

    def add(self, line: dict[str, Any]) -> None:
        """Keep one line of the current round."""
        self._rounds[-1][line["control"]] = line

    def median(self, name: str, measure: str) -> float | None:
        """Return the median over the rounds, or None if there is none."""
        values = [lines[name][measure] for lines in self._rounds if name in lines]
        return statistics.median(values) if values else None

    def added(self, name: str, measure: str) -> float | None:
        """Return the median of what the variant takes longer than no control in the same round."""
        values = [
            lines[name][measure] - lines[NONE][measure] for lines in self._rounds if name in lines and NONE in lines
        ]
        return statistics.median(values) if values else None


def measure_controls(runs: int, results: Results, say: Callable[[str], None] = lambda _: None) -> Costs:
    """Measure every variant `runs` times in turn, each in a process of its own; lines and failures go to `results`."""
    costs = Costs()
    for number in range(1, runs + 1):
        costs.begin()
        for name in VARIANTS:
            say(f"controls, run {number}/{runs}: {name}")
            try:
                line = _run(name)
            except (subprocess.SubprocessError, ValueError) as error:
                results.fail(f"controls, {name}", _reason(error))
                continue
            costs.add(line)
            results.lines.append({"system": "fsdf", "driver": SECTION, "transport": "memory", "round": number} | line)
    return costs


def cost_table(costs: Costs) -> Table:
    """Return the table: what no control takes, then what each adds."""
    table = Table(title="controls: medians a message; what each adds to no control", title_justify="left")
    table.add_column("control", no_wrap=True)
    for header in HEADERS.values():
        table.add_column(header, justify="right", no_wrap=True)
    for name in VARIANTS:
        if name == NONE:
            cells = [_cell(costs.median(name, measure), "{:.2f}") for measure in HEADERS]
        else:
            cells = [_cell(costs.added(name, measure), "{:+.2f}") for measure in HEADERS]
        table.add_row(name, *cells, end_section=name == NONE)
    return table


def _cell(value: float | None, form: str) -> str:
    return "\N{EN DASH}" if value is None else form.format(value)


def _run(name: str) -> dict[str, Any]:
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.drivers.controls", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    line: dict[str, Any] = json.loads(process.stdout)
    return line


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return "\n".join(error.stderr.strip().splitlines()[-1:])
    return f"{type(error).__name__}: {error}"
