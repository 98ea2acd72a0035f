"""A worker process whose tasks are greenlets: `green_worker.py KIND HISTORY_FOLDER QUEUE_OPTIONS LIBRARY`."""

import sys

if sys.argv[4] == "gevent":
    from gevent import monkey

    monkey.patch_all()
else:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet
    eventlet.monkey_patch()

import json
import time
from pathlib import Path

from fsdf_core.consumer import Consumer
from fsdf_core.green.broker import cooperative_broker
from fsdf_core.registry import brokers, pools
from fsdf_core.settings import get_settings
from fsdf_core.testing.history import HistoryLog

log = HistoryLog(Path(sys.argv[2]))


def task(number, seconds=0.05):
    log.started(number)
    time.sleep(seconds)
    log.ended(number)


if __name__ == "__main__":
    broker = cooperative_broker(brokers.get(sys.argv[1]).from_settings(get_settings()))
    pool = pools.get(sys.argv[4])(max_workers=100)
    Consumer(task, queue=broker.queue("crash", **json.loads(sys.argv[3])), pool=pool).run()
