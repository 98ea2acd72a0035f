"""Memory and threads of processes over time."""

from __future__ import annotations

import contextlib
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY_ALLOWED = 1.25
"""Factor by which memory may differ between the first and the last quarter."""
THREADS_ALLOWED = 3.0
"""Threads more at the end: some come and go with what happens."""


class Gauge:
    """Reads `/proc`; elsewhere nothing is measured.

    Args:
        name: of the processes.
        pids: their ids now; the largest figure counts, because processes that just start have little.
    """

    def __init__(self, name: str, pids: Callable[[], list[int]]) -> None:
        self._name = name
        self._pids = pids
        self._megabytes: list[float] = []
        self._threads: list[float] = []

    def look(self) -> None:
        """Read once."""
        found = [read for pid in self._pids() if (read := _read(pid)) is not None]
        if found:
            self._megabytes.append(max(memory for memory, _ in found))
            self._threads.append(max(threads for _, threads in found))

    def grown(self) -> list[str]:
        """Print the medians of the first and the last quarter of the looks; return what has grown, as lines."""
        quarter = len(self._threads) // 4
        if not quarter:
            return []
        before, after = statistics.median(self._megabytes[:quarter]), statistics.median(self._megabytes[-quarter:])
        few, many = statistics.median(self._threads[:quarter]), statistics.median(self._threads[-quarter:])
        print(f"{self._name}: {before:.1f} MB, then {after:.1f} MB; {few:g} threads, then {many:g}")
        said = []
        if after > before * MEMORY_ALLOWED:
            said.append(f"{self._name}: memory has grown from {before:.1f} to {after:.1f} MB")
        if many > few + THREADS_ALLOWED:
            said.append(f"{self._name}: threads have grown from {few:g} to {many:g}")
        return said


def _read(pid: int) -> tuple[float, int] | None:
    """Return the process's resident MB and threads; None if it has gone."""
    with contextlib.suppress(OSError, KeyError):
        text = Path(f"/proc/{pid}/status").read_text()
        lines = dict(line.split(":", 1) for line in text.splitlines())
        return int(lines["VmRSS"].split()[0]) / 1024, int(lines["Threads"])
    return None
