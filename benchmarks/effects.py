"""Results and records: what is left of the consuming rate when each result is sent back and each end recorded."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from benchmarks.report import TIMES, machine
from benchmarks.runner import Load, PhaseError, run_phase
from benchmarks.servers import Servers, missing
from benchmarks.systems import FUNBOOST, MEMORY, MONGODB, REDIS, SQLITE, System

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

SECTION = "effects"
"""What `--only` calls it."""

TRANSPORTS = (MEMORY, SQLITE, REDIS)
WORKERS = 10
LEFT = 0.3
"""Of the rate without, at least."""
AHEAD = 3.0
"""Of funboost's rate with its own, at least."""
FSDF = System("fsdf", "fsdf", {})
PEER = System("funboost", "funboost", {}, FUNBOOST)
HAND = System("records by hand", "hand_records", {})
"""Rows or documents and nothing else, in one thread."""


class Row(NamedTuple):
    """One measurement: the system on a transport, and where it records; "" for neither results nor records."""

    system: str
    transport: str
    records: str = ""

    @property
    def label(self) -> str:
        """How the table calls it."""
        return f"{self.system}, {self.records or 'off'}"


SYSTEMS = {system.name: system for system in (FSDF, PEER, HAND)}
ROWS = (
    *(Row("fsdf", transport, records) for transport in TRANSPORTS for records in ("", SQLITE)),
    Row("fsdf", REDIS, MONGODB),
    Row("funboost", REDIS),
    Row("funboost", REDIS, MONGODB),
    Row(HAND.name, MEMORY, SQLITE),
    Row(HAND.name, MEMORY, MONGODB),
)
Rates = dict[Row, list[float]]


def run(console: Console, transports: Sequence[str], runs: int, path: Path | None) -> bool:
    """Measure and print; return whether the targets were reached."""
    absent = {name for name in (REDIS, MONGODB) if missing(name) is not None}
    rows = [
        row
        for row in ROWS
        if (not transports or row.transport in transports or row.system == HAND.name)
        and not absent & {row.transport, row.records}
    ]
    console.print("  ".join(f"{name} {value}" for name, value in machine().items()), highlight=False)
    rates: Rates = {}
    with console.status("installing peers") as status, Servers([*TRANSPORTS, MONGODB]) as servers:
        for number in range(1, runs + 1):
            for row in rows:
                status.update(f"run {number}/{runs}: {row.label} on {row.transport}")
                try:
                    rates.setdefault(row, []).append(_rate(row, servers))
                except PhaseError as error:
                    console.print(f"failed: {row.label} on {row.transport}: {error}", style="red", markup=False)
    console.print(_table(rates))
    if path:
        path.write_text(json.dumps([[row.label, row.transport, *values] for row, values in rates.items()], indent=1))
    return all(_judged(console, rates))


def _rate(row: Row, servers: Servers) -> float:
    with (
        tempfile.TemporaryDirectory(prefix="fsdf-bench-", ignore_cleanup_errors=True) as folder,
        servers.place(row.transport) as place,
        servers.place(row.records or MEMORY) as database,
    ):
        records = database.address
        if row.records == SQLITE:
            records = f"sqlite:///{(Path(folder) / 'records.sqlite').as_posix()}"
        (line,) = run_phase(SYSTEMS[row.system], row.transport, "consume", Load(WORKERS, records=records), place)
    return float(line["count"] / line["seconds"])


def _median(rates: Rates, row: Row) -> float | None:
    return statistics.median(rates[row]) if rates.get(row) else None


def _table(rates: Rates) -> Table:
    table = Table(title="no-op tasks a second, with results and records in a store", title_justify="left")
    for header in ("system, records", "transport", "consume /s"):
        table.add_column(header)
    for row in rates:
        table.add_row(row.label, row.transport, f"{_median(rates, row):,.0f}")
    return table


def _judged(console: Console, rates: Rates) -> list[bool]:
    verdicts = []
    for row in rates:
        if row.system == FSDF.name and row.records:
            without = row._replace(records="")
            verdicts.append(_say(console, f"{row.transport}: {row.label}", rates, row, without, LEFT))
            _say_by_hand(console, rates, row, without)
    ours, theirs = Row(FSDF.name, REDIS, MONGODB), Row(PEER.name, REDIS, MONGODB)
    verdicts.append(_say(console, f"{REDIS}: {ours.label}", rates, ours, theirs, AHEAD))
    return verdicts


def _say_by_hand(console: Console, rates: Rates, row: Row, without: Row) -> None:
    """Tell how many records one thread makes and writes that does nothing else."""
    limit, other = _median(rates, Row(HAND.name, MEMORY, row.records)), _median(rates, without)
    if limit is not None and other is not None:
        text = (
            f"{'by hand':8} {row.transport}: records alone, {row.records}: {limit / other:.2f}{TIMES} {without.label}"
        )
        console.print(text, style="dim", highlight=False)


def _say(console: Console, name: str, rates: Rates, row: Row, rival: Row, least: float) -> bool:
    own, other = _median(rates, row), _median(rates, rival)
    if own is None or other is None:
        return True
    ratio = own / other
    word, style = ("reached", "green") if ratio >= least else ("MISSED", "red")
    text = f"{word:8} {name}: at least {least:g}{TIMES} {rival.label}: {ratio:.2f}{TIMES}"
    console.print(text, style=style, highlight=False)
    return ratio >= least
