"""What a process costs: peak memory and processor time."""

from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path


def peak_memory() -> float | None:
    """Return the process's peak resident memory in MB, or None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: on Linux its maximum is inherited from the parent through fork and exec.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def cpu_percent(seconds: float) -> float:
    """Sleep, and return the share of one core that the process used meanwhile."""
    wall, cpu = time.perf_counter(), time.process_time()
    time.sleep(seconds)
    return 100 * (time.process_time() - cpu) / (time.perf_counter() - wall)


def resident_memory() -> float:
    """Return the process's resident memory in MB; 0 where the system does not tell."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * mmap.PAGESIZE / 1024**2 if pages.exists() else 0.0
