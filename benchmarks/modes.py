"""The concurrent modes: what a no-op costs in each, what two processes gain, what a waiting coroutine weighs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table

from benchmarks.environments import ROOT
from benchmarks.report import TIMES, machine
from benchmarks.runner import Load, PhaseError, run_phase
from benchmarks.servers import Servers, missing
from benchmarks.systems import FUNBOOST, MEMORY, REDIS, TASKIQ, System

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

SECTION = "modes"
"""What `--only` calls it."""

WORKERS = 50
LIMIT = 300.0
FSDF = System("fsdf", "fsdf", {})
GREEN = ("gevent==25.9.1", "eventlet==0.41.3")
_FUNBOOST = System("funboost-modes", "funboost", {}, (*FUNBOOST, *GREEN))
_TASKIQ = {MEMORY: System("taskiq", "taskiq", {}, TASKIQ), REDIS: System("taskiq", "taskiq_redis", {}, TASKIQ)}


class Target(NamedTuple):
    """fsdf in a mode against a peer in the same mode."""

    mode: str
    rival: str
    ratio: float


TARGETS = (
    Target("ASYNC", "funboost-modes", 10),
    Target("ASYNC", "taskiq", 10),
    Target("GEVENT", "funboost-modes", 3),
    Target("EVENTLET", "funboost-modes", 3),
)
Rates = dict[tuple[str, str, str], list[float]]
"""Messages a second by transport, mode and system."""


def run(console: Console, transports: Sequence[str], runs: int, path: Path | None) -> bool:
    """Measure and print; return whether all targets were reached."""
    chosen = [one for one in (MEMORY, REDIS) if (not transports or one in transports) and missing(one) is None]
    console.print("  ".join(f"{name} {value}" for name, value in machine().items()), highlight=False)
    rates: Rates = {}
    with console.status("installing peers") as status, Servers(chosen) as servers:
        for number in range(1, runs + 1):
            for transport in chosen:
                for mode in ("THREADING", "ASYNC", "GEVENT", "EVENTLET"):
                    for system in _systems(mode, transport):
                        status.update(f"run {number}/{runs}: {system.name} {mode} {transport}")
                        try:
                            with servers.place(transport) as place:
                                (line,) = run_phase(system, transport, "consume", Load(WORKERS, mode=mode), place)
                        except PhaseError as error:
                            console.print(f"failed: {system.name} {mode} {transport}: {error}", style="red")
                            continue
                        rates.setdefault((transport, mode, system.name), []).append(line["count"] / line["seconds"])
        status.update("two processes, and coroutines that wait")
        # In turn, and the best of two: other programs take cores, too.
        seconds = [_number("cores", processes) for processes in (1, 2, 1, 2)]
        cores = [min((one for one in seconds[first::2] if one), default=None) for first in (0, 1)]
        weight = _number("waiting", 10_000)
    for transport in chosen:
        console.print(_table(transport, rates))
    if path:
        path.write_text(json.dumps([[*key, *values] for key, values in rates.items()], indent=1))
    if weight is not None:
        console.print(f"10 000 coroutines that wait: {weight:.0f} MB")
    return all([*_judged(console, chosen, rates), _two_processes(console, cores)])


def _systems(mode: str, transport: str) -> list[System]:
    return [FSDF, _FUNBOOST, _TASKIQ[transport]] if mode == "ASYNC" else [FSDF, _FUNBOOST]


def _number(driver: str, argument: int) -> float | None:
    command = [sys.executable, "-m", f"benchmarks.drivers.{driver}", str(argument)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=True)
        return float(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        return None


def _median(rates: Rates, *key: str) -> float | None:
    values = rates.get((key[0], key[1], key[2]))
    return statistics.median(values) if values else None


def _table(transport: str, rates: Rates) -> Table:
    table = Table(title=f"{transport}: no-op tasks a second, {WORKERS} at once, one process", title_justify="left")
    table.add_column("mode")
    names = ("fsdf", "funboost-modes", "taskiq")
    for name in names:
        table.add_column(name.removesuffix("-modes"), justify="right")
    for mode in dict.fromkeys(mode for one, mode, _ in rates if one == transport):
        values: list[Any] = [_median(rates, transport, mode, name) for name in names]
        table.add_row(mode, *("\N{EN DASH}" if value is None else f"{value:,.0f}" for value in values))
    return table


def _judged(console: Console, chosen: Sequence[str], rates: Rates) -> list[bool]:
    verdicts = []
    for target in TARGETS:
        for transport in chosen:
            own = _median(rates, transport, target.mode, "fsdf")
            rival = _median(rates, transport, target.mode, target.rival)
            if own and rival:
                name = target.rival.removesuffix("-modes")
                text = f"{transport}: fsdf {target.mode} at least {target.ratio:g}{TIMES} {name}"
                verdicts.append(_say(console, text, own / rival, target.ratio))
    return verdicts


def _two_processes(console: Console, seconds: Sequence[float | None]) -> bool:
    one, two = seconds
    if one is None or two is None:
        console.print("failed: tasks that compute in worker processes", style="red")
        return False
    return _say(console, f"tasks that compute: two processes at least 1.6{TIMES} one", one / two, 1.6)


def _say(console: Console, text: str, ratio: float, least: float) -> bool:
    word, style = ("reached", "green") if ratio >= least else ("MISSED", "red")
    console.print(f"{word:8} {text}: {ratio:.2f}{TIMES}", style=style, highlight=False)
    return ratio >= least
