"""Run one phase of one driver: `python -m benchmarks.drivers.main huey sqlite consume`.

Prints a JSON object a line and leaves the process hard, because peers keep threads that do not end.
"""

from __future__ import annotations

import sys

# Nothing may be imported before the patch.
if "--mode=GEVENT" in sys.argv:
    from gevent import monkey

    monkey.patch_all()
elif "--mode=EVENTLET" in sys.argv:
    import eventlet

    eventlet.monkey_patch()

import argparse
import importlib
import json
import logging
import os
import traceback
from pathlib import Path
from typing import Any

from benchmarks.drivers.driver import Setting
from benchmarks.drivers.latency import task as timed_task
from benchmarks.drivers.phases import PHASES
from benchmarks.drivers.task import task as counted_task
from benchmarks.drivers.task import task_async


def main() -> int:
    """Build the driver in the working directory and print its results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("transport")
    parser.add_argument("phase", choices=PHASES)
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--queue", default="bench")
    parser.add_argument("--address", default="")
    parser.add_argument("--mode", default="THREADING")
    parser.add_argument("--records", default="")
    options = parser.parse_args()
    # Peers print to stdout while they are imported: results get the real one, the rest goes to stderr.
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module = importlib.import_module(f"benchmarks.drivers.{options.driver}")
    logging.disable(logging.WARNING)
    task: Any = timed_task if options.phase in {"latency", "pace"} else counted_task
    if options.mode == "ASYNC":
        task = task_async
    setting = Setting(options.transport, options.workers, Path.cwd(), task, options.queue, options.address)
    setting = setting._replace(confirm=options.phase != "consume", mode=options.mode, records=options.records)
    driver = module.build(setting)
    for line in PHASES[options.phase](driver, options.seconds):
        # Not print(): funboost's import replaces it.
        results.write(json.dumps(line) + "\n")
        results.flush()
    return 0


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    except Exception:  # noqa: BLE001 - told, then the process is left in any case
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
