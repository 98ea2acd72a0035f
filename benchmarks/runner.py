"""Runs one phase of one system in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.environments import ROOT, python_of

if TYPE_CHECKING:
    from benchmarks.servers import Place
    from benchmarks.systems import System

LIMIT = 120.0
"""Seconds after which a process counts as hung."""


class Load(NamedTuple):
    """How hard every system is worked.

    Attributes:
        workers: threads that may run tasks.
        seconds: length of a publish phase, and of the backlog that is then consumed.
        idle: seconds that the idle worker is watched.
        mode: how tasks run side by side: THREADING, ASYNC, GEVENT or EVENTLET.
        records: URL of the database of records; empty: neither results nor records.
    """

    workers: int = 10
    seconds: float = 1.0
    idle: float = 5.0
    mode: str = "THREADING"
    records: str = ""


class PhaseError(RuntimeError):
    """The process of a phase ended badly; the text ends with what it said."""


def run_phase(system: System, transport: str, phase: str, load: Load, place: Place) -> list[dict[str, Any]]:
    """Return the result lines of one phase.

    Raises:
        PhaseError: the process failed, or hung.
    """
    command = [str(python_of(system)), "-m", "benchmarks.drivers.main", system.driver, transport, phase]
    command += ["--workers", str(load.workers), "--queue", place.queue, "--address", place.address]
    command += ["--seconds", str(load.idle if phase == "rest" else load.seconds), f"--mode={load.mode}"]
    command += [f"--records={load.records}"] if load.records else []
    with tempfile.TemporaryDirectory(prefix="fsdf-bench-", ignore_cleanup_errors=True) as folder:
        try:
            process = subprocess.run(
                command,
                cwd=folder,
                env=environment(system, Path(folder)),
                capture_output=True,
                text=True,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PhaseError(f"hung for {LIMIT:.0f} s") from None
    if process.returncode:
        raise PhaseError("\n".join(process.stderr.strip().splitlines()[-3:]))
    return [json.loads(line) for line in process.stdout.splitlines()]


def environment(system: System, folder: Path) -> dict[str, str]:
    # The folder stands before the repository: funboost writes its configuration to the first entry.
    path = [str(folder), str(ROOT)]
    if not system.requirements and (inherited := os.environ.get("PYTHONPATH")):
        path.append(inherited)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "",
        "FSDF_HOME": str(folder),
        "LOG_PATH": str(folder),
    }
