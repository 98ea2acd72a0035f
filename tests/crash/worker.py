"""A worker process of the crash tests: `worker.py KIND HISTORY_FOLDER QUEUE_OPTIONS`; FSDF_HOME says where it is."""

import json
import os
import re
import sys
import threading
from pathlib import Path

from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.registry import brokers
from fsdf_core.settings import get_settings
from fsdf_core.testing.history import HistoryLog
from fsdf_pools import ShrinkableThreadPoolExecutor

log = HistoryLog(Path(sys.argv[2]))


def task(number, kind="wait", seconds=0.001):
    log.started(number)
    if kind == "wait":
        threading.Event().wait(seconds)
    else:
        # Backtracks for seconds without ever letting go of the interpreter's lock.
        re.match(r"(a+)+$", "a" * 26 + "b")
    log.ended(number)


class Up(Control):
    """Shows those who wait for it that the worker starts, its signal handlers in place."""

    def start(self, host):
        (Path(sys.argv[2]) / f"{os.getpid()}.up").touch()


if __name__ == "__main__":
    settings = get_settings()
    queue = brokers.get(sys.argv[1]).from_settings(settings).queue("crash", **json.loads(sys.argv[3]))
    consumer = Consumer(task, queue=queue, pool=ShrinkableThreadPoolExecutor(max_workers=10), controls=[Up()])
    consumer.run()
