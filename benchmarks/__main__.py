"""Measure fsdf beside its peers and beside loops written by hand: `hatch run bench --help`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import effects, modes, sleeping
from benchmarks.controls import SECTION, Costs, measure_controls
from benchmarks.environments import python_of
from benchmarks.report import machine, print_report, write_raw
from benchmarks.rounds import Results, run_rounds
from benchmarks.runner import Load
from benchmarks.servers import Servers, missing
from benchmarks.systems import TRANSPORTS, choose


def main() -> int:
    """Run; return the exit code."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 160)
    if (good := _section(options, console)) is None:
        return _systems(options, console)
    return 0 if good or not options.strict else 1


def _section(options: argparse.Namespace, console: Console) -> bool | None:
    """Run what has a report of its own; return whether its figures were reached, None if nothing such is asked for."""
    if options.only == [sleeping.SECTION]:
        return sleeping.run(console, options.transport, options.tasks, options.json)
    if options.only == [modes.SECTION]:
        return modes.run(console, options.transport, options.runs, options.json)
    if options.only == [effects.SECTION]:
        return effects.run(console, options.transport, options.runs, options.json)
    return None


def _systems(options: argparse.Namespace, console: Console) -> int:
    systems = [name for name in options.only if name != SECTION]
    alone = not systems and SECTION in options.only
    try:
        pairs = [] if alone else choose(systems, options.transport)
    except ValueError as error:
        console.print(str(error), style="red")
        return 2
    for transport in dict.fromkeys(transport for _, transport in pairs):
        if (program := missing(transport)) is not None:
            console.print(f"skipped {transport}: no {program} server; `hatch run servers` installs it", style="yellow")
            pairs = [pair for pair in pairs if pair[1] != transport]
    load = Load(options.workers, options.seconds, options.idle)
    console.print("  ".join(f"{name} {value}" for name, value in machine().items()), highlight=False)
    with console.status("installing peers") as status:
        for system, _ in pairs:
            status.update(f"installing {system.name}")
            try:
                python_of(system)
            except subprocess.CalledProcessError as error:
                console.print(f"cannot install {system.name}: {error}", style="red", markup=False)
                return 1
        status.update("starting servers")
        with Servers([transport for _, transport in pairs]) as servers:
            pairs = [pair for pair in pairs if pair[1] not in servers.broken]
            results = run_rounds(pairs, options.runs, load, servers, status.update) if pairs else Results()
            for transport, reason in servers.broken.items():
                results.fail(transport, f"its server does not start: {reason}")
        costs = Costs()
        if SECTION in options.only or not (options.only or options.transport):
            costs = measure_controls(options.runs, results, status.update)
    if options.json:
        write_raw(options.json, results)
    good = print_report(console, pairs, results, costs)
    return 0 if good or not options.strict else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", type=_names, default=[], help="systems, with commas: fsdf,controls; or latency, modes, effects"
    )
    parser.add_argument("--transport", action="append", choices=TRANSPORTS, default=[])
    parser.add_argument("--runs", type=int, default=5, help="rounds, of which medians are taken (default 5)")
    parser.add_argument("--workers", type=int, default=10, help="threads that run tasks (default 10)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a phase (default 1)")
    parser.add_argument("--idle", type=float, default=5.0, help="seconds of the idle measurement (default 5)")
    parser.add_argument("--tasks", type=int, action="append", help="of `--only latency`; default 100 to 10000")
    parser.add_argument("--json", type=Path, help="file for every run's figures; CSV if it ends so")
    parser.add_argument("--strict", action="store_true", help="exit code 1 if a figure is missed")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


if __name__ == "__main__":
    sys.exit(main())
