"""An environment of its own for each peer, made once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.systems import System

ROOT = Path(__file__).resolve().parent.parent
STAMP = "requirements.txt"


def home() -> Path:
    """Return the folder of the environments: `FSDF_BENCH_HOME`, or `.bench` in the repository."""
    return Path(os.environ.get("FSDF_BENCH_HOME") or ROOT / ".bench").resolve()


def python_of(system: System) -> Path:
    """Return the interpreter that runs the system, installing the system if it is not there yet.

    Raises:
        subprocess.CalledProcessError: it cannot be installed.
    """
    if not system.requirements:
        return Path(sys.executable)
    folder = home() / system.name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / STAMP
    wanted = "\n".join((sys.version, *system.requirements))
    if not (stamp.exists() and stamp.read_text() == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        _install(folder, python, system.requirements)
        stamp.write_text(wanted)
    return python


def _install(folder: Path, python: Path, requirements: tuple[str, ...]) -> None:
    if uv := shutil.which("uv"):
        _call([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _call([uv, "pip", "install", "--quiet", "--python", str(python), *requirements])
    else:
        _call([sys.executable, "-m", "venv", str(folder)])
        _call([str(python), "-m", "pip", "install", "--quiet", *requirements])


def _call(command: list[str]) -> None:
    subprocess.run(command, check=True)
