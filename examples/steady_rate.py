"""A rate that holds whatever the function takes, in as many threads as that needs and no more.

Each line shows the seconds since the first task, the threads that work for the queue, and how long the task takes.
The durations change four times while the queue is worked off. FSDF_BROKER says which broker keeps it.
"""

import itertools
import threading
import time

from fsdf import boost
from fsdf_pools import ShrinkableThreadPoolExecutor

QPS = 20
QUEUE = "steady_rate"
PHASE = 2.0
DURATIONS = (0.0004, 0.28, 1.2, 0.032, 0.0)
"""Seconds that a task takes in each phase; the last one does not end."""

TASKS = 2000

KEEP_ALIVE = 0.5
"""Seconds after which a thread that has nothing to do ends; 10 by default, short here because the phases are."""

pool = ShrinkableThreadPoolExecutor(max_workers=600, keep_alive=KEEP_ALIVE, thread_name_prefix=f"fsdf-{QUEUE}")
numbers = itertools.count(1)
begun: list[float] = []


def threads_of_the_queue() -> int:
    return sum(thread.name.startswith(f"fsdf-{QUEUE}") for thread in threading.enumerate())


@boost(QUEUE, qps=QPS, specify_concurrent_pool=pool)
def work(a: int, b: int) -> int:
    now = time.monotonic()
    begun.append(now)
    since = now - begun[0]
    seconds = DURATIONS[min(len(DURATIONS) - 1, int(since / PHASE))]
    print(f"{next(numbers)} begun at {since:.3f} s, {threads_of_the_queue()} threads: {a} + {b}, takes {seconds} s")
    time.sleep(seconds)
    return a + b


if __name__ == "__main__":
    work.clear()
    work.push_many((number, 2 * number) for number in range(TASKS))
    work.consume()
