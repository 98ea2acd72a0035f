"""Measure tasks that compute in worker processes: `python -m benchmarks.drivers.cores 2`; prints seconds.

The time is that from the start of the first task to the end of the last, without the start of processes.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    os.environ["FSDF_HOME"] = tempfile.mkdtemp(prefix="fsdf-bench-cores-")

from fsdf import BoosterParams, BrokerEnum

TASKS = 1200
LIMIT = 120.0


@BoosterParams(queue_name="cores", broker_kind=BrokerEnum.SQLITE_QUEUE, concurrent_num=1, log_level="ERROR")
def burn(number: int) -> None:
    """Compute for about 5 ms of processor time, and note when."""
    began = time.time()
    end = time.thread_time() + 0.005
    while time.thread_time() < end:
        number = (number * 1103515245 + 12345) % 2**31
    with Path(os.environ["FSDF_HOME"], f"log-{os.getpid()}").open("a") as file:
        file.write(f"{began} {time.time()}\n")


def main() -> float:
    """Return the seconds."""
    processes = int(sys.argv[1])
    logging.disable(logging.WARNING)
    folder = Path(os.environ["FSDF_HOME"])
    supervisor = burn.multi_process_consume(processes)
    # All processes are there before the clock runs.
    burn.push_many((number,) for number in range(10 * processes))
    _lines(folder, 10 * processes)
    time.sleep(5)
    for file in folder.glob("log-*"):
        file.unlink()
    burn.push_many((number,) for number in range(TASKS))
    lines = _lines(folder, TASKS)
    if supervisor is not None:
        supervisor.stop(10)
    return max(end for _, end in lines) - min(begin for begin, _ in lines)


def _lines(folder: Path, count: int) -> list[tuple[float, float]]:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        words = [line.split() for file in folder.glob("log-*") for line in file.read_text().splitlines()]
        if len(words) >= count:
            return [(float(begin), float(end)) for begin, end in words]
        time.sleep(0.1)
    raise TimeoutError(f"{count} tasks take longer than {LIMIT:.0f} s")


if __name__ == "__main__":
    print(f"{main():.3f}")
