"""A worker process of the rate, quota, key and pause tests: `rate_worker.py FOLDER RULE NUMBER`.

FSDF_HOME says where queue and state are. Each start and end is a line `begin|end wall-time key` of `FOLDER/<pid>.log`.
"""

import os
import sys
import threading
import time
from pathlib import Path

from fsdf_control.key_concurrency import KeyConcurrency
from fsdf_control.pausing import Pause
from fsdf_control.quota import Quota
from fsdf_control.shared_rate import SharedRateLimit
from fsdf_core.consumer import Consumer
from fsdf_core.registry import brokers, open_state
from fsdf_core.settings import get_settings
from fsdf_pools import ShrinkableThreadPoolExecutor

RULES = {
    "rate": SharedRateLimit,
    "quota": lambda number, store: Quota(int(number), "h", "sliding", store),
    "key": lambda number, store: KeyConcurrency("key", int(number), store, 0.05),
    "pause": lambda number, store: Pause(store),
}


def main(folder, rule, number):
    log = os.open(Path(folder) / f"{os.getpid()}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(event, key):
        os.write(log, f"{event} {time.time():.6f} {key}\n".encode())

    def task(key="-", seconds=0.0):
        write("begin", key)
        if seconds:
            threading.Event().wait(seconds)
        write("end", key)

    settings = get_settings()
    queue = brokers.get("SQLITE_QUEUE").from_settings(settings).queue("rates")
    control = RULES[rule](float(number), open_state(settings))
    Consumer(task, queue=queue, pool=ShrinkableThreadPoolExecutor(max_workers=50), controls=[control]).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
