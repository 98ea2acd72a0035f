"""Starts, replaces and ends the worker processes of a deployment, and tells about them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

from .identity import alive, end, started

if TYPE_CHECKING:
    from pathlib import Path

_MARKS = ("fsdf_config.py", "pyproject.toml", ".git")
"""What makes a folder the root of a project for the setting `home`."""
PROVEN, TRIAL = ".sh", ".trial"
"""Endings of scripts that run a deployment's Python: whose workers have consumed, and whose may not."""
_LOG_LIMIT = 20_000_000
_TOLD = 8_000
_LOOK = 0.05
Record = dict[str, Any]


def start(project: Path, own: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Start a deployment's supervisor; when its processes consume, end the earlier one.

    Returns:
        `error` (empty if it consumes), `output` (what it has written), `pid`, `before` (what became of the earlier).
    """
    name = request["name"]
    _end_unfinished(own, name)
    log = own / f"{name}.log"
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(own / f"{name}.log.1")
    begun = log.stat().st_size if log.exists() else 0
    ready = own / f"{name}.ready"
    ready.unlink(missing_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 - a script of ours
            ["/bin/sh", str(own / f"{name}{TRIAL}"), "-B", "-u", str(own / "launch.py")],
            cwd=project, env=_environment(project, own, request), stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    log.chmod(0o600)
    record = {
        "pid": process.pid, "started": started(process.pid), "since": time.time(), "queue": request["queue"],
        "module": request["module"], "processes": request["processes"],
    }  # fmt: skip
    _write(own / f"{name}.starting", record)
    error = _await(process, ready, request["start_timeout"])
    if error:
        end(record, 5.0)
        (own / f"{name}.starting").unlink(missing_ok=True)
        return {"error": error, "output": _tail(log, begun), "pid": None, "before": ""}
    (own / f"{name}{TRIAL}").replace(own / f"{name}{PROVEN}")
    earlier = _read(own / f"{name}.json")
    previous = [*(earlier or {}).pop("previous", []), earlier] if earlier else []
    _write(own / f"{name}.json", {**record, "previous": previous})
    (own / f"{name}.starting").unlink(missing_ok=True)
    ends = [end(each, request["stop_timeout"]) for each in previous]
    _write(own / f"{name}.json", record)
    return {"error": "", "output": _tail(log, begun), "pid": process.pid, "before": ends[-1] if ends else ""}


def stop(_project: Path, own: Path, request: dict[str, Any]) -> dict[str, Any]:
    """End a deployment, or all of them."""
    ended = {}
    for name in _names(own, request.get("name")):
        _end_unfinished(own, name)
        record = _read(own / f"{name}.json") or {}
        for each in [*record.pop("previous", []), record]:
            if each:
                ended[name] = end(each, request["stop_timeout"])
        (own / f"{name}.json").unlink(missing_ok=True)
    return {"ended": ended}


def status(_project: Path, own: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about a deployment, or about all of them."""
    told = []
    for name in _names(own, request.get("name")):
        record = _read(own / f"{name}.json") or {}
        record.pop("previous", None)
        told.append({"name": name, **record, "running": alive(record or None)})
    return {"deployments": told}


def logs(_project: Path, own: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return the last lines that a deployment has written."""
    found = {}
    for name in _names(own, request.get("name")):
        log = own / f"{name}.log"
        if log.exists():
            with log.open("rb") as file:
                file.seek(max(0, log.stat().st_size - 200 * request["lines"] - _TOLD))
                found[name] = file.read().decode("utf-8", "replace").splitlines()[-request["lines"] :]
    return {"logs": found}


def _environment(project: Path, own: Path, request: dict[str, Any]) -> dict[str, str]:
    job = {"paths": [str(project / path) for path in request["paths"]], "ready": str(own / f"{request['name']}.ready")}
    job |= {key: request[key] for key in ("module", "registry", "queue", "processes", "max_processes")}
    defaults = {"FSDF_LOG_CONSOLE": "1", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    if not any((project / mark).exists() for mark in _MARKS):
        defaults["FSDF_HOME"] = str(project / ".fsdf")
    return {
        **defaults,
        **os.environ,
        **request["env"],
        "FSDF_DEPLOYED": request["name"],
        "FSDF_DEPLOYED_JOB": json.dumps(job),
    }


def _await(process: subprocess.Popen[bytes], ready: Path, timeout: float) -> str:
    """Wait until the workers consume; return what went wrong."""
    deadline = time.monotonic() + timeout
    while True:
        with contextlib.suppress(OSError, ValueError):
            if int(ready.read_text(encoding="utf-8")) == process.pid:
                return ""
        if process.poll() is not None:
            return f"it ended with status {process.returncode} before it consumed"
        if time.monotonic() > deadline:
            return f"it did not consume within {timeout:g} seconds"
        time.sleep(_LOOK)


def _end_unfinished(own: Path, name: str) -> None:
    """End what a deployment has started whose connection broke before it was ready."""
    record = _read(own / f"{name}.starting")
    if record:
        end(record, 5.0)
    (own / f"{name}.starting").unlink(missing_ok=True)


def _names(own: Path, name: str | None) -> list[str]:
    found = sorted({path.stem for pattern in ("*.json", "*.sh") for path in own.glob(pattern)} - {"manifest"})
    return found if name is None else [each for each in found if each == name]


def _tail(log: Path, begun: int) -> str:
    with log.open("rb") as file:
        file.seek(max(begun, log.stat().st_size - _TOLD))
        return file.read().decode("utf-8", "replace")


def _read(path: Path) -> Record | None:
    try:
        found: Record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _write(path: Path, record: Record) -> None:
    partial = path.with_name(f"{path.name}.new")
    partial.write_text(json.dumps(record), encoding="utf-8")
    partial.replace(path)
