"""Micro-batches with the rules, on the embedded brokers: each message keeps its own fate, and none is lost."""

import threading
import time

from fsdf_control.expire import Expire
from fsdf_control.filter import Filter
from fsdf_control.rate_limit import RateLimit
from fsdf_control.retry import Retry
from fsdf_core.batch import Batch
from fsdf_core.control import Control
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.fitting import FittingConsumer as Consumer
from fsdf_core.testing.history import HistoryLog, check
from fsdf_core.verdict import DeadLetter
from fsdf_pools import ShrinkableThreadPoolExecutor


class LastResort(Control):
    """What the retries gave up goes to the dead-letter queue."""

    def __init__(self, most):
        self.most = most

    def on_error(self, message, error, attempt):
        return DeadLetter("given up", str(error)) if attempt > self.most else None


def test_rules_apply_to_each_message(embedded, workers, emptied):
    queue = embedded.queue("q")
    publisher = Publisher(queue)
    publisher.publish_many({"x": x} for x in range(30))
    publisher.publish_many({"x": x} for x in range(5))
    publisher.publish({"x": 100}, {"publish_time": time.time() - 60})
    done, lock = [], threading.Lock()

    def task(calls):
        if any(call["x"] == 7 for call in calls):
            raise ValueError("seven")
        with lock:
            done.extend(call["x"] for call in calls)
        return [None] * len(calls)

    rules = [Expire(30), Filter(MemoryStateStore()), LastResort(1), Retry(1)]
    with Consumer(task, queue=queue, pool=workers, controls=rules, batch=Batch(10, 0.2)) as consumer:
        consumer.start()
        assert emptied(queue)
    assert sorted(done) == [x for x in range(30) if x != 7]
    assert embedded.queue("q_dlx").size().ready == 1


def test_a_rate_holds_for_calls_not_batches(embedded, workers, emptied):
    queue = embedded.queue("q")
    Publisher(queue).publish_many({"x": x} for x in range(20))
    sizes = []
    began = time.monotonic()
    with Consumer(
        lambda calls: sizes.append(len(calls)),
        queue=queue,
        pool=workers,
        controls=[RateLimit(20)],
        batch=Batch(5, 0.15),
    ) as consumer:
        consumer.start()
        assert emptied(queue)
    assert sum(sizes) == 20
    assert max(sizes) <= 5
    assert 0.8 < time.monotonic() - began < 10


def test_stopping_again_and_again_settles_each_message_once(embedded, workers, emptied, tmp_path):
    queue = embedded.queue("q")
    Publisher(queue).publish_many({"x": x} for x in range(600))
    (tmp_path / "history").mkdir()
    history, first = HistoryLog(tmp_path / "history"), threading.Event()

    def task(calls):
        for call in calls:
            history.started(call["x"])
        first.set()
        for call in calls:
            history.ended(call["x"])

    for _ in range(8):
        first.clear()
        consumer = Consumer(task, queue=queue, pool=workers, batch=Batch(16, 0.3))
        consumer.start()
        first.wait(0.5)
        assert consumer.stop()
    with Consumer(task, queue=queue, pool=workers, batch=Batch(16, 0.3)) as consumer:
        consumer.start()
        assert emptied(queue)
    report = check(tmp_path / "history", range(600), kills={})
    assert (report.accepted, report.duplicates) == (600, 0)


def test_a_hundred_thousand_messages_run_once_each(emptied, embedded):
    if not type(embedded).__module__.startswith("fsdf_core"):
        return
    queue = embedded.queue("q")
    Publisher(queue).publish_many({"x": x} for x in range(100_000))
    ran = []
    with (
        ShrinkableThreadPoolExecutor(max_workers=20) as pool,
        Consumer(ran.append, queue=queue, pool=pool, batch=Batch(100, 1)) as consumer,
    ):
        consumer.start()
        assert emptied(queue, 60)
    assert sorted(call["x"] for calls in ran for call in calls) == list(range(100_000))
    assert max(map(len, ran)) == 100
