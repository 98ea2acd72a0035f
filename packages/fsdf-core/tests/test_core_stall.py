"""A consumer that has nothing to do for a while, or too long a task."""

import threading

from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.publisher import Publisher
from fsdf_pools import ShrinkableThreadPoolExecutor


class Sparse(Control):
    """Lets tasks start at the very moments at which an idle settler looks for messages that are stuck."""

    def __init__(self):
        self.spent = 0
        self.next = 0.0

    def credit(self, now):
        return 5 if now >= self.next else 0

    def next_credit(self, now):
        return max(0.0, self.next - now)

    def spend(self, count, now):
        self.spent += count
        self.next = now + 1.0


def test_what_has_just_been_handed_over_is_not_taken_back():
    queue = MemoryBroker().queue("q")
    Publisher(queue).publish_many([{}] * 25)
    sparse = Sparse()
    ran = threading.Semaphore(0)
    with (
        ShrinkableThreadPoolExecutor(max_workers=8) as pool,
        Consumer(ran.release, queue=queue, pool=pool, controls=[sparse]) as consumer,
    ):
        consumer.start()
        assert all(ran.acquire(timeout=3) for _ in range(25))
    assert sparse.spent == 25
