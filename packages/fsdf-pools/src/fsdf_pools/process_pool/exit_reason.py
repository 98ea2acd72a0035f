"""Why a process ended, in words."""

from __future__ import annotations

import signal
from pathlib import Path

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")


def oom_kills() -> int | None:
    """Return how often the kernel killed for lack of memory, in this cgroup or host; None if it does not tell."""
    places = [_PROC / "vmstat"]
    try:
        lines = (_PROC / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        inner = path.lstrip("/")
        if number == "0":
            places += [_CGROUPS / inner / "memory.events", _CGROUPS / "memory.events"]
        elif "memory" in controllers:
            places += [_CGROUPS / "memory" / inner / "memory.oom_control"]
    counts = [count for place in places if (count := _counter(place)) is not None]
    return sum(counts) if counts else None


def _counter(place: Path) -> int | None:
    try:
        for line in place.read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    except (OSError, ValueError):
        pass
    return None


def exit_reason(code: int, *, out_of_memory: bool | None) -> str:
    """Return the reason of an exit.

    Args:
        code: as `multiprocessing` tells it: the status, or minus the signal's number.
        out_of_memory: whether the kernel has killed for lack of memory meanwhile; None if it does not tell.

    Example:
        >>> exit_reason(1, out_of_memory=None), exit_reason(-9, out_of_memory=True)
        ('exit code 1', 'killed by SIGKILL, probably out of memory')
        >>> exit_reason(-9, out_of_memory=None)
        'killed by SIGKILL (out of memory, or kill -9)'
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name != "SIGKILL":
        return f"killed by {name}"
    if out_of_memory:
        return "killed by SIGKILL, probably out of memory"
    return "killed by SIGKILL (out of memory, or kill -9)"
