"""An environment of its own for funboost, made once and kept in FSDF_SERVERS_CACHE (default: ~/.cache/fsdf-servers)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

REQUIREMENTS = (
    "funboost==55.0",
    "amqpstorm==2.10.6",
    "confluent-kafka==2.16.1",
    "kafka-python==3.0.12",
    "redis==5.2.1",
)

_TIMEOUT = 300


def need() -> Path:
    """Return the interpreter that can import funboost; skip the test, or fail it on CI, if it cannot be had."""
    try:
        return python()
    except (OSError, subprocess.SubprocessError) as error:
        line = f"cannot install {REQUIREMENTS[0]}: {error}".splitlines()[0]
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(line, pytrace=False)
    pytest.skip(line)


def python() -> Path:
    """Return the interpreter that can import funboost; installs it if it is not there.

    That takes 20 seconds with uv, and two minutes without.

    Raises:
        OSError: the folder cannot be written.
        subprocess.SubprocessError: it could not be installed.
    """
    cache = os.environ.get("FSDF_SERVERS_CACHE")
    home = Path(cache) if cache else Path.home() / ".cache" / "fsdf-servers"
    release = f"py{sys.version_info[0]}.{sys.version_info[1]}"
    folder = home / "-".join((REQUIREMENTS[0].replace("==", "-"), release))
    stamp = folder / "requirements.txt"
    if not (stamp.exists() and stamp.read_text() == "\n".join(REQUIREMENTS) and _interpreter(folder).exists()):
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as scratch:
            new = Path(scratch) / "environment"
            _install(new)
            (new / stamp.name).write_text("\n".join(REQUIREMENTS))
            shutil.rmtree(folder, ignore_errors=True)
            new.rename(folder)
    return _interpreter(folder)


def _interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _install(folder: Path) -> None:
    target = str(_interpreter(folder))
    if uv := shutil.which("uv"):
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--quiet", "--python", target, *REQUIREMENTS)
    else:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(target, "-m", "pip", "install", "--quiet", "--no-compile", *REQUIREMENTS)


def _run(*words: str) -> None:
    subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=True)
