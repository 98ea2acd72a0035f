"""Prints the tables, the verdicts and the notes; writes the raw figures."""

from __future__ import annotations

import csv
import json
import os
import platform
import sqlite3
import statistics
import sys
from typing import TYPE_CHECKING

from rich.table import Table

from benchmarks.controls import cost_table
from benchmarks.rounds import CONSUME, IDLE, LATENCY, LATENCY_99, MEASURES, MEMORY, PUBLISH_BULK, PUBLISH_ONE
from benchmarks.servers import NEEDED
from benchmarks.targets import compare, judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from benchmarks.controls import Costs
    from benchmarks.rounds import Pair, Results

TIMES = "\N{MULTIPLICATION SIGN}"
MISSING = "\N{EN DASH}"
HEADERS = {
    PUBLISH_ONE: "publish\none by one /s",
    PUBLISH_BULK: "publish\nin bulk /s",
    CONSUME: "consume\n/s",
    MEMORY: "peak memory\nMB",
    IDLE: "idle CPU\n%",
    LATENCY: "push to start\nms (99 %)",
}
BASES = {
    "memory": (
        ("funboost", f"{TIMES} funboost"),
        ("hand_queue", f"{TIMES} queue.Queue"),
        ("hand_deque", f"{TIMES} deque"),
    ),
    "sqlite": (("funboost", f"{TIMES} funboost"), ("hand_sqlite", f"{TIMES} by hand")),
    "redis": (
        ("funboost", f"{TIMES} funboost"),
        ("hand_redis", f"{TIMES} acks"),
        ("hand_redis_list", f"{TIMES} batches"),
    ),
    "redis-stream": (("funboost", f"{TIMES} funboost"), ("hand_stream", f"{TIMES} by hand")),
    "rabbitmq": (("funboost", f"{TIMES} funboost"), ("hand_rabbitmq", f"{TIMES} by hand")),
    "kafka": (("funboost", f"{TIMES} funboost"), ("hand_kafka", f"{TIMES} by hand")),
}


def print_report(console: Console, pairs: Sequence[Pair], results: Results, costs: Costs) -> bool:
    """Print everything; return whether no figure was missed."""
    notes: list[str] = []
    for transport in dict.fromkeys(transport for _, transport in pairs):
        console.print(_table(transport, pairs, results, notes))
    for number, note in enumerate(notes, 1):
        console.print(f"[{number}] {note}", markup=False, highlight=False)
    if costs:
        console.print(cost_table(costs))
    for failure, places in results.failures.items():
        console.print(f"failed: {', '.join(places)}: {failure}", style="red", markup=False)
    for line in compare(results):
        console.print(line, markup=False, highlight=False)
    verdicts = judge(results)
    for verdict in verdicts:
        if verdict.reached is not None:
            word, style = ("reached", "green") if verdict.reached else ("MISSED", "red")
            console.print(f"{word:8} {verdict.text}", style=style, markup=False, highlight=False)
    return not results.failures and all(verdict.reached is not False for verdict in verdicts)


def _table(transport: str, pairs: Sequence[Pair], results: Results, notes: list[str]) -> Table:
    bases = [base for base in BASES[transport] if results.median(base[0], transport, CONSUME)]
    table = Table(title=f"{transport}: medians, consume ± standard deviation", title_justify="left")
    table.add_column("system", no_wrap=True)
    measures = (*MEASURES, LATENCY) if transport in NEEDED else MEASURES
    for header in (*(HEADERS[measure] for measure in measures), *(f"consume\n{label}" for _, label in bases)):
        table.add_column(header, justify="right", no_wrap=True)
    for system, own in pairs:
        if own != transport:
            continue
        label = system.transports[transport]
        if system.notes and transport in system.notes:
            notes.append(f"{label}: {system.notes[transport]}")
            label = f"{label} \\[{len(notes)}]"
        cells = [_cell(results, system.driver, transport, measure) for measure in measures]
        ratios = [_ratio(results, system.driver, base, transport) for base, _ in bases]
        table.add_row(label, *cells, *ratios, style="bold" if system.name == "fsdf" else None)
    return table


def _cell(results: Results, driver: str, transport: str, measure: str) -> str:
    value = results.median(driver, transport, measure)
    if value is None:
        return MISSING
    if measure == LATENCY:
        slow = results.median(driver, transport, LATENCY_99)
        return f"{value:.2f} ({slow:.1f})"
    if measure == IDLE:
        return f"{value:.2f}"
    if measure != CONSUME:
        return f"{value:,.0f}"
    values = results.values(driver, transport, measure)
    spread = statistics.stdev(values) / statistics.fmean(values) if len(values) > 1 else 0
    return f"{value:,.0f} ±{100 * spread:.0f}%"


def _ratio(results: Results, driver: str, base: str, transport: str) -> str:
    own, other = results.median(driver, transport, CONSUME), results.median(base, transport, CONSUME)
    if own is None or not other:
        return MISSING
    ratio = own / other
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def machine() -> dict[str, str | int | None]:
    """Describe where the figures come from."""
    return {
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }


def write_raw(path: Path, results: Results) -> None:
    """Write every run's figures: CSV if the file is called so, else JSON."""
    if path.suffix == ".csv":
        fields = list(dict.fromkeys(key for line in results.lines for key in line))
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows(results.lines)
        return
    document = {"machine": machine(), "runs": results.lines, "failures": results.failures}
    path.write_text(json.dumps(document, indent=1))
