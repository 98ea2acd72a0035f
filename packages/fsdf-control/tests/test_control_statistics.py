"""Statistics: what is counted, the rates, the log line; in consumers too."""

import doctest
import logging
import threading
from types import SimpleNamespace

import pytest

from fsdf_control import settled_rate, statistics
from fsdf_control.requeue import Requeue as RequeueRule
from fsdf_control.retry import Retry
from fsdf_control.settled_rate import SettledRate
from fsdf_control.statistics import Statistics
from fsdf_core.broker import QueueSize
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.errors import ExceptionForRequeue
from fsdf_core.message import ATTEMPTS, Message
from fsdf_core.outcome import Outcome
from fsdf_core.publisher import Publisher
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import DeadLetter, Delay, Drop, Release, Requeue
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor


def ended(error=None, *, attempts=1, settlement=None, extra=None):
    message = Message({}, extra or {})
    message.settlement = settlement
    message.outcome = Outcome(error is None, None, error, attempts, settlement)
    return message


def refused(settlement):
    message = Message({}, {})
    message.settlement = settlement
    return message


def hosted(rule, size=None, sized=True):
    asked = []

    def ask():
        asked.append(1)
        if size is None:
            raise ConnectionError("away")
        return QueueSize(size)

    broker = SimpleNamespace(capabilities=SimpleNamespace(size=sized))
    queue = SimpleNamespace(name="q", broker=broker, size=ask)
    rule.start(SimpleNamespace(queue=queue, logger=logging.getLogger("fsdf.q")))
    return asked


def test_everything_is_counted_once_under_its_name():
    rule = Statistics(clock=ManualClock())
    rule.on_settle([ended(), ended(OSError()), ended(OSError(), attempts=4), ended(attempts=2)])
    rule.on_settle([ended(OSError(), attempts=3, extra={ATTEMPTS: 1}), ended(attempts=5, extra={ATTEMPTS: "garbage"})])
    rule.on_settle([ended(OSError(), settlement=DeadLetter("x")), refused(DeadLetter("undecodable"))])
    rule.on_settle([ended(OSError(), settlement=Requeue(1)), refused(Delay(5)), refused(Release())])
    rule.on_settle([refused(Drop("expired: 7 s old")), refused(Drop("expired: 8 s old")), refused(Drop("filtered"))])
    seen = rule.snapshot()
    assert (seen.succeeded, seen.failed, seen.dead_letters, seen.requeued) == (3, 3, 2, 2)
    assert seen.retries == 3 + 1 + 1 + 4
    assert seen.dropped == {"expired": 2, "filtered": 1}
    assert seen.done == 11


def test_reasons_do_not_grow_for_ever():
    rule = Statistics(clock=ManualClock())
    rule.on_settle([refused(Drop(f"reason {number}")) for number in range(500)])
    assert sum(rule.snapshot().dropped.values()) == 500
    assert len(rule.snapshot().dropped) < 60


def test_rates_and_the_time_left():
    clock = ManualClock()
    rule = Statistics(clock=clock)
    hosted(rule, size=1200)
    for _ in range(50):
        clock.advance(1)
        rule.on_settle([ended() for _ in range(10)])
    rule.tick(clock.monotonic())
    clock.advance(10)
    seen = rule.snapshot()
    assert seen.per_second_10s == pytest.approx(0, abs=1)
    assert seen.per_second_60s == pytest.approx(500 / 60, rel=0.02)
    assert (seen.ready, seen.seconds_left) == (1200, pytest.approx(144, rel=0.02))


def test_a_young_consumers_rate_counts_its_own_age():
    rate = SettledRate(0.0)
    rate.add(100, 2.0)
    assert rate.per_second(60.0, 4.0) == 25
    assert rate.per_second(60.0, 0.0) == 0


def test_the_queue_is_asked_every_ten_seconds_if_it_can_tell():
    clock = ManualClock()
    rule = Statistics(clock=clock)
    asked = hosted(rule, size=5)
    for _ in range(60):
        clock.advance(0.5)
        rule.tick(clock.monotonic())
    assert len(asked) == 3
    asked = hosted(rule, sized=False)
    clock.advance(20)
    rule.tick(clock.monotonic())
    assert (asked, rule.snapshot().ready, rule.snapshot().seconds_left) == ([], None, None)


def test_one_line_a_minute_if_something_happened_even_if_the_broker_is_away(caplog):
    clock = ManualClock()
    rule = Statistics(clock=clock)
    hosted(rule)
    with caplog.at_level(logging.INFO, "fsdf"):
        for tick in range(400):
            clock.advance(0.5)
            if tick == 10:
                rule.on_settle([ended(), refused(Drop("filtered"))])
            try:
                rule.tick(clock.monotonic())
            except ConnectionError:
                continue
    assert len(caplog.records) == 1
    assert "q: 1 succeeded, 0 failed, 0 retries, 1 dropped (filtered)" in caplog.text


def test_starting_again_counts_from_nothing():
    rule = Statistics(clock=ManualClock())
    rule.on_settle([ended()])
    hosted(rule)
    assert rule.snapshot().done == 0


@pytest.mark.parametrize("every", [0, -1, float("nan")])
def test_no_distance_between_lines(every):
    with pytest.raises(ValueError, match="log_every"):
        Statistics(every)


def test_run_times_of_slow_and_quick_functions():
    rule = Statistics()
    slow = rule.around(lambda message: threading.Event().wait(0.02))
    slow(Message({}, {}))
    assert 0.02 <= rule.snapshot().mean_seconds < 1
    rule = Statistics()
    assert rule.around_every() == 1
    quick = rule.around(lambda message: None)
    for _ in range(3):
        quick(Message({}, {}))
        rule.snapshot()
    assert rule.snapshot().mean_seconds < 0.001
    assert rule.around_every() == 250
    assert rule._timed == 1 + 250 + 250  # from the second on, each stands for 250
    failing = rule.around(lambda message: 1 / 0)
    for _ in range(16):
        with pytest.raises(ZeroDivisionError):
            failing(Message({}, {}))


@pytest.mark.parametrize("kind", [ShrinkableThreadPoolExecutor, SoloExecutor])
def test_in_a_consumer(kind):
    queue = MemoryBroker().queue("q", serialize=True)
    left = threading.Event()
    seen = []

    class Last(Control):
        def on_settle(self, messages):
            seen.extend(message for message in messages if not isinstance(message.settlement, Requeue))
            if len(seen) == 100:
                left.set()

    first = threading.Event()

    def task(x):
        if x % 10 == 0:
            raise ValueError(x)
        if x == 1 and not first.is_set():
            first.set()
            raise ExceptionForRequeue

    rule = Statistics()
    Publisher(queue).publish_many({"x": x} for x in range(100))
    controls = [rule, RequeueRule(0), Retry(2), Last()]
    with kind(max_workers=4) as pool, Consumer(task, queue=queue, pool=pool, controls=controls) as consumer:
        consumer.start()
        assert left.wait(10)
    counted = rule.snapshot()
    assert (counted.succeeded, counted.failed, counted.retries, counted.requeued) == (90, 10, 20, 1)


@pytest.mark.parametrize("module", [statistics, settled_rate], ids=lambda module: module.__name__)
def test_docstrings_tell_the_truth(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
