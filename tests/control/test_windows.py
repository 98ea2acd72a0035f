"""Outside a window nothing is taken, so other consumers can; on the embedded brokers."""

import datetime
import threading

from fsdf_control.cron_window import CronWindow
from fsdf_control.window import TimeWindow
from fsdf_core.publisher import Publisher
from fsdf_core.testing.clock import ManualClock
from fsdf_core.testing.fitting import FittingConsumer as Consumer

NOON = datetime.datetime(2026, 6, 1, 12, 0, tzinfo=datetime.timezone.utc).timestamp()


class Asked:
    """Says when the consumer has looked at a closed window twice."""

    def __init__(self, rule):
        self.times = threading.Semaphore(0)
        ask = rule.next_credit

        def next_credit(now):
            self.times.release()
            return ask(now)

        rule.next_credit = next_credit

    def wait(self):
        for _ in range(2):
            assert self.times.acquire(timeout=10)


def test_closed_means_untouched_and_open_means_run(embedded, workers, emptied):
    queue = embedded.queue("q")
    Publisher(queue).publish_many({"x": x} for x in range(10))
    clock = ManualClock(NOON)
    rules = [
        TimeWindow.closed_between("10:00:00", "22:00:00", timezone="UTC", clock=clock),
        CronWindow("* 22-23 * * 1", "UTC", clock),
    ]
    asked, ran = [Asked(rule) for rule in rules], []
    with Consumer(lambda x: ran.append(x), queue=queue, pool=workers, controls=rules) as consumer:
        consumer.start()
        for each in asked:
            each.wait()
        assert (queue.size().ready, queue.size().unacked, ran) == (10, 0, [])
        clock.advance(10 * 3600)
        assert emptied(queue)
    assert sorted(ran) == list(range(10))


def test_a_consumer_without_a_window_takes_what_one_with_a_window_leaves(embedded, workers, emptied):
    queue = embedded.queue("q")
    rule = TimeWindow.closed_between("10:00", "22:00", timezone="UTC", clock=ManualClock(NOON))
    asked, here, there = Asked(rule), [], []
    with (
        Consumer(lambda x: here.append(x), queue=queue, pool=workers, controls=[rule]) as closed,
        Consumer(lambda x: there.append(x), queue=queue, pool=workers) as other,
    ):
        closed.start()
        asked.wait()
        other.start()
        Publisher(queue).publish_many({"x": x} for x in range(10))
        assert emptied(queue)
    assert (here, sorted(there)) == ([], list(range(10)))


def test_messages_that_wait_when_it_closes_stay(embedded, workers):
    queue = embedded.queue("q")
    clock = ManualClock(NOON)
    rule = TimeWindow.open_between("10:00", "12:00:01", timezone="UTC", clock=clock)
    first, ran = threading.Event(), []

    def task(x):
        ran.append(x)
        first.set()

    with Consumer(task, queue=queue, pool=workers, controls=[rule]) as consumer:
        consumer.start()
        Publisher(queue).publish({"x": 0})
        assert first.wait(10)
        clock.advance(1)
        asked = threading.Event()
        rule.next_credit = lambda now: asked.set() or 0.01
        Publisher(queue).publish_many({"x": x} for x in range(1, 5))
        consumer._run._dispatcher.wake()
    assert ran == [0]
    assert (queue.size().ready, queue.size().unacked) == (4, 0)
