"""A worker process whose tasks are coroutines: `async_worker.py KIND HISTORY_FOLDER QUEUE_OPTIONS`."""

import asyncio
import json
import sys
import time
from pathlib import Path

from fsdf_core.consumer import Consumer
from fsdf_core.registry import brokers
from fsdf_core.settings import get_settings
from fsdf_core.testing.history import HistoryLog
from fsdf_pools import AsyncPool

log = HistoryLog(Path(sys.argv[2]))


async def task(number, kind="wait", seconds=0.05):
    log.started(number)
    if kind == "wait":
        await asyncio.sleep(seconds)
    else:
        time.sleep(seconds)
    log.ended(number)


if __name__ == "__main__":
    settings = get_settings()
    queue = brokers.get(sys.argv[1]).from_settings(settings).queue("crash", **json.loads(sys.argv[3]))
    consumer = Consumer(task, queue=queue, pool=AsyncPool(max_workers=300))
    consumer.run()
