"""The latency benchmark: tasks that sleep 1 to 10 s are on the queue, one process runs them all.

No system can be faster than the longest sleep; what comes on top is the cost of having so many at once.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table

from benchmarks.environments import python_of
from benchmarks.report import machine
from benchmarks.runner import environment
from benchmarks.servers import Servers, missing
from benchmarks.systems import HIREDIS, RABBITMQ, REDIS, System

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from benchmarks.servers import Place

SECTION = "latency"
"""What `--only` calls it."""

COUNTS = (100, 1000, 5000, 10_000)
TRANSPORTS = (REDIS, RABBITMQ)
MOST_WORKERS = 10_000
LIMIT = 240.0
"""Seconds after which a process counts as hung."""

FSDF = System("fsdf", "fsdf", {})
DRAMATIQ = System("dramatiq", "dramatiq", {}, ("dramatiq[redis,rabbitmq]==2.2.1", HIREDIS))
DRAMATIQ_GEVENT = System("dramatiq-gevent", "dramatiq", {}, (*DRAMATIQ.requirements, "gevent==25.9.1"))


class Row(NamedTuple):
    """One system in one mode.

    Attributes:
        limit: seconds over the longest sleep that 10 000 tasks may take; None: no mark.
        most: tasks at once.
    """

    label: str
    system: System
    mode: str
    limit: float | None = None
    most: int = MOST_WORKERS


ROWS = (
    Row("fsdf ASYNC", FSDF, "ASYNC", 0.7),
    Row("fsdf GEVENT", FSDF, "GEVENT", 0.7),
    Row("fsdf EVENTLET", FSDF, "EVENTLET"),
    Row("fsdf THREADING", FSDF, "THREADING", 2.0),
    # With 10 000 threads it takes 122 s, most of it processor time.
    Row("dramatiq", DRAMATIQ, "THREADING", most=1000),
    Row("dramatiq-gevent", DRAMATIQ_GEVENT, "GEVENT"),
)

Measured = dict[tuple[str, str, int], dict[str, Any]]
"""Lines by row's label, transport and count."""


def run(console: Console, transports: Sequence[str], counts: Sequence[int], path: Path | None) -> bool:
    """Measure and print; return whether all marks were reached."""
    chosen = [name for name in TRANSPORTS if (not transports or name in transports) and missing(name) is None]
    console.print("  ".join(f"{name} {value}" for name, value in machine().items()), highlight=False)
    measured: Measured = {}
    with console.status("installing peers") as status, Servers(chosen) as servers:
        for transport in chosen:
            for count in counts or COUNTS:
                for row in ROWS:
                    status.update(f"{count} tasks on {transport}: {row.label}")
                    line = _measured(row, servers, transport, count)
                    measured[row.label, transport, count] = line
                    console.print(_text(row, transport, count, line), markup=False, highlight=False)
    for transport in chosen:
        console.print(_table(transport, counts or COUNTS, measured))
    if path:
        path.write_text(json.dumps([{"row": key, **line} for key, line in measured.items()], indent=1))
    return all(_judge(console, row, transport, measured) for row in ROWS for transport in chosen)


def _measured(row: Row, servers: Servers, transport: str, count: int) -> dict[str, Any]:
    try:
        with servers.place(transport) as place:
            return _run(row, place, transport, count)
    except (subprocess.SubprocessError, ValueError) as error:
        return {"failed": _reason(error)}


def _run(row: Row, place: Place, transport: str, count: int) -> dict[str, Any]:
    command = [str(python_of(row.system)), "-m", "benchmarks.drivers.sleepers", row.system.driver, row.mode, transport]
    # dramatiq starts all its threads at once, so it gets no more of them than there are tasks.
    workers = MOST_WORKERS if row.system is FSDF else min(count, row.most)
    command += [str(count), "--workers", str(workers), "--queue", place.queue, "--address", place.address]
    with tempfile.TemporaryDirectory(prefix="fsdf-bench-", ignore_cleanup_errors=True) as folder:
        process = subprocess.run(
            command,
            cwd=folder,
            env=environment(row.system, Path(folder)),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
    line: dict[str, Any] = json.loads(process.stdout)
    return line


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return "".join(error.stderr.strip().splitlines()[-1:])
    return f"{type(error).__name__}: {error}"


def _text(row: Row, transport: str, count: int, line: dict[str, Any]) -> str:
    where = f"{row.label}, {count} tasks on {transport}:"
    if "failed" in line:
        return f"{where} not measured: {line['failed']}"
    memory = f"{line['megabytes']:.0f} MB" if line["megabytes"] else "memory unknown"
    text = f"{where} {line['seconds']:.2f} s, {line['processor']:.1f} s of processor time, {memory}"
    return text if line["ended"] == count else f"{text}; only {line['ended']} ended"


def _table(transport: str, counts: Sequence[int], measured: Measured) -> Table:
    table = Table(title=f"{transport}: seconds for so many tasks of 1 to 10 s", title_justify="left")
    table.add_column("system", no_wrap=True)
    for count in counts:
        table.add_column(f"{count:,}", justify="right")
    table.add_column("MB with the most", justify="right")
    for row in ROWS:
        lines = [measured.get((row.label, transport, count), {}) for count in counts]
        memory = lines[-1].get("megabytes")
        table.add_row(row.label, *map(_cell, lines, counts), f"{memory:.0f}" if memory else "\N{EN DASH}")
    return table


def _cell(line: dict[str, Any], count: int) -> str:
    if "seconds" not in line:
        return "\N{EN DASH}"
    return f"{line['seconds']:.2f}" if line["ended"] == count else f"> {line['seconds']:.0f}"


def _judge(console: Console, row: Row, transport: str, measured: Measured) -> bool:
    line = measured.get((row.label, transport, COUNTS[-1]))
    if row.limit is None or line is None:
        return True
    text = f"{transport}: {row.label}, {COUNTS[-1]:,} tasks within {row.limit} s of the longest sleep"
    if "failed" in line:
        console.print(f"MISSED   {text}: not measured", style="red", highlight=False)
        return False
    over = line["seconds"] - line["longest"]
    good = bool(line["ended"] == COUNTS[-1] and over <= row.limit)
    word, style = ("reached", "green") if good else ("MISSED", "red")
    console.print(f"{word:8} {text}: {over:.2f} s", style=style, highlight=False)
    return good
