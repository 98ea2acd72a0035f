"""Equal tasks run once on every embedded broker."""

import threading

from fsdf_control.delay import Delay
from fsdf_control.expire import Expire
from fsdf_control.filter import Filter, clear_filter
from fsdf_control.requeue import Requeue
from fsdf_control.retry import Retry
from fsdf_core.errors import ExceptionForRequeue
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.fitting import FittingConsumer as Consumer

from .pools import THREADS


def test_two_consumers_run_equal_tasks_once_and_failed_ones_again(embedded, emptied):
    queue, store = embedded.queue("q"), MemoryStateStore()
    lock, ran, failed = threading.Lock(), [], set()

    def task(x):
        with lock:
            if x % 3 == 0 and x not in failed:
                failed.add(x)
                raise ExceptionForRequeue if x else ValueError
            ran.append(x)

    def consumer(pool):
        rules = [Expire(60), Delay(), Filter(store), Requeue(0.01), Retry(0)]
        return Consumer(task, queue=queue, pool=pool, controls=rules)

    Publisher(queue).publish_many({"x": place % 10} for place in range(100))
    with (
        THREADS[0](max_workers=4) as one,
        THREADS[0](max_workers=4) as two,
        consumer(one) as first,
        consumer(two) as second,
    ):
        first.start()
        second.start()
        assert emptied(queue)
        assert sorted(ran) == list(range(10))
        clear_filter(store, "q")
        Publisher(queue).publish_many([{"x": 1}, {"x": 1}])
        assert emptied(queue)
    assert sorted(ran) == sorted([*range(10), 1])


def test_an_equal_task_waits_for_the_one_that_runs(embedded, workers, emptied):
    queue = embedded.queue("q")
    entered, go, ran = threading.Event(), threading.Event(), []

    def task(x):
        ran.append(x)
        entered.set()
        assert go.wait(10)

    rule = Filter(MemoryStateStore())
    Publisher(queue).publish_many([{"x": 1}, {"x": 1}])
    with Consumer(task, queue=queue, pool=workers, controls=[rule]) as consumer:
        consumer.start()
        assert entered.wait(10)
        go.set()
        assert emptied(queue)
    assert ran == [1]
