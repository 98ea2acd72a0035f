"""Which process a number means: numbers are used again, the time of a start is not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

_LOOK = 0.05


def started(pid: int) -> str | None:
    """Return what tells this process from every other one that had or will have its number; None if it is gone.

    On Linux the boot and the clock ticks until the start (proc(5), field 22), elsewhere what `ps` says.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _started_by_ps(pid) if not Path("/proc/self/stat").exists() else None
    # The name of the program, in brackets, may hold anything.
    fields = status.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        boot = ""
    return f"{boot}:{fields[19]}"


def alive(record: dict[str, Any] | None) -> bool:
    """Whether the process of a record still runs."""
    return bool(record) and record is not None and started(record["pid"]) == record["started"]


def end(record: dict[str, Any], timeout: float) -> str:
    """End a process and its group: SIGTERM, SIGKILL after `timeout` seconds.

    Returns:
        "ended", "killed", or "was gone".
    """
    if not alive(record):
        return "was gone"
    with contextlib.suppress(ProcessLookupError):
        os.kill(record["pid"], signal.SIGTERM)
    if gone(record, timeout):
        return "ended"
    with contextlib.suppress(ProcessLookupError):
        os.killpg(record["pid"], signal.SIGKILL)
    gone(record, 10.0)
    return "killed"


def gone(record: dict[str, Any], timeout: float) -> bool:
    """Wait until a process is no more; False if it still is after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while alive(record):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK)
    return True


def _started_by_ps(pid: int) -> str | None:
    words = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - numbers only
    state, _, start = done.stdout.strip().partition(" ")
    return None if done.returncode or not start or state.startswith("Z") else start.strip()
