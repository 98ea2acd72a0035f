"""A consumer composed from pieces, without the decorator."""

import tempfile
import threading
from pathlib import Path

from fsdf_brokers.sqlite import SQLiteBroker
from fsdf_control import RateLimit, Retry
from fsdf_core.consumer import Consumer
from fsdf_core.publisher import Publisher
from fsdf_pools import ShrinkableThreadPoolExecutor

done = threading.Semaphore(0)


def add(x: int, y: int) -> None:
    print(f"{x} + {y} = {x + y}")
    done.release()


with tempfile.TemporaryDirectory() as folder:
    broker = SQLiteBroker(Path(folder) / "queue.sqlite")
    queue = broker.queue("sums")
    Publisher(queue).publish_many({"x": number, "y": 2 * number} for number in range(10))
    consumer = Consumer(
        add,
        queue=queue,
        pool=ShrinkableThreadPoolExecutor(max_workers=200),
        controls=[RateLimit(30), Retry(max_retries=3)],
    )
    with consumer:
        consumer.start()
        for _ in range(10):
            done.acquire(timeout=10)
    broker.close()
