"""A worker process whose tasks run in children: `process_worker.py KIND HISTORY_FOLDER QUEUE_OPTIONS`."""

import json
import os
import sys
import threading
from pathlib import Path

from fsdf_core.consumer import Consumer
from fsdf_core.registry import brokers
from fsdf_core.settings import get_settings
from fsdf_core.testing.history import HistoryLog
from fsdf_pools.process_pool import ProcessPool

FOLDER = Path(sys.argv[2])
# In each child, too, which imports this file.
log = HistoryLog(FOLDER)
(FOLDER / f"{os.getpid()}.parent").write_text(str(os.getppid()))


def task(number, seconds=0.01):
    log.started(number)
    threading.Event().wait(seconds)
    log.ended(number)


if __name__ == "__main__":
    settings = get_settings()
    queue = brokers.get(sys.argv[1]).from_settings(settings).queue("crash", **json.loads(sys.argv[3]))
    Consumer(task, queue=queue, pool=ProcessPool(2)).run()
