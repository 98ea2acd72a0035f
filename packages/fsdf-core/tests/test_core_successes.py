"""Successes that no control needs to see are counted, not shown; everything else is shown."""

import pytest

from fsdf_core.broker import GONE
from fsdf_core.codec import decode
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.outcome import Outcome
from fsdf_core.publisher import Publisher
from fsdf_core.testing.spy import Spy
from fsdf_core.verdict import Drop
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor, SoloExecutor

PATIENCE = 30.0


class Counter(Spy):
    settle_options_only = True
    wants_outcomes = False

    def __init__(self):
        super().__init__()
        self.count = 0
        self.unacked = []

    def on_successes(self, count):
        self.unacked.append(self.host.queue.size().unacked)
        self.count += count

    def start(self, host):
        self.host = host


async def quick(x):
    if x == "fails":
        raise ValueError


def quick_too(x):
    if x == "fails":
        raise ValueError


@pytest.fixture(params=[ShrinkableThreadPoolExecutor, SoloExecutor, AsyncPool])
def workers(request):
    with request.param() if request.param is SoloExecutor else request.param(10) as pool:
        yield quick if request.param is AsyncPool else quick_too, pool


def run(queue, workers, *controls):
    function, pool = workers
    with Consumer(function, queue=queue, pool=pool, controls=controls) as consumer:
        consumer.start()
        assert wait_until(lambda: not queue.size().total, PATIENCE, 0.01)
        assert wait_until(lambda: consumer.finished == 32, PATIENCE, 0.01)


@pytest.fixture
def filled(queue):
    publisher = Publisher(queue)
    publisher.publish_many({"x": x} for x in range(30))
    publisher.publish({"x": "fails"})
    publisher.publish({"x": "asks"}, {"function_timeout": 5})
    return queue


def test_they_are_counted_before_they_are_acknowledged(filled, workers):
    counter = Counter()
    run(filled, workers, counter)
    assert counter.count == 30
    assert sorted(message.arguments["x"] for message in counter.left) == ["asks", "fails"]
    assert all(counter.unacked)


def test_all_are_shown_if_another_control_wants_to_see_them(filled, workers):
    counter, spy = Counter(), Spy()
    run(filled, workers, counter, spy)
    assert counter.count == 0
    assert len(counter.left) == len(spy.left) == 32
    assert sum(message.outcome.success for message in spy.left) == 31


def test_nobody_needs_to_be_told(filled, workers):
    run(filled, workers)


def test_what_was_refused_is_shown(filled, workers):
    class Odd(Control):
        def admit(self, message):
            return Drop("odd") if message.arguments["x"] in range(1, 30, 2) else None

    counter = Counter()
    run(filled, workers, Odd(), counter)
    assert counter.count == 15
    assert sum(isinstance(message.settlement, Drop) for message in counter.left) == 15
    assert len(counter.left) == 17


def test_outcomes_that_are_asked_for_while_it_runs_are_shown(queue, workers):
    class Curious(Counter):
        def on_settle(self, messages):
            super().on_settle(messages)
            self.host.observe()

    curious = Curious()
    function, pool = workers
    publisher = Publisher(queue)
    with Consumer(function, queue=queue, pool=pool, controls=[curious]) as consumer:
        consumer.start()
        publisher.publish({"x": "asks"}, {"function_timeout": 5})
        curious.expect(1)
        publisher.publish({"x": 1})
        assert curious.expect(2)[1].outcome == Outcome(True, None, None, 1, None)
    assert curious.count == 0


def test_a_faulty_count_is_logged_and_keeps_nothing(filled, workers, caplog):
    class Faulty(Counter):
        def on_successes(self, count):
            raise ZeroDivisionError

    run(filled, workers, Faulty())
    assert "an effect of Faulty failed" in caplog.text


def test_what_has_succeeded_does_not_run_again_even_if_it_was_not_acknowledged(queue):
    Publisher(queue).publish_many([{"x": 1}, {"x": 2}])
    subscription = queue.subscribe("c", 10)
    subscription.receive(2, 1)[0].body = GONE
    subscription.close()
    assert [decode(delivery.body).arguments for delivery in queue.subscribe("d", 10).receive(2, 1)] == [{"x": 2}]


def test_only_the_bodies_of_successes_go_where_they_ran(filled, workers):
    held = []
    subscribe = filled.subscribe

    def listening(*arguments):
        subscription = subscribe(*arguments)
        ack = subscription.ack
        subscription.ack = lambda deliveries: (held.extend(deliveries), ack(deliveries))
        return subscription

    filled.subscribe = listening
    run(filled, workers, Counter())
    kept = [decode(delivery.body).arguments["x"] for delivery in held if delivery.body is not GONE]
    assert (len(held), sorted(kept)) == (32, ["asks", "fails"])


def test_a_body_is_kept_for_controls_that_want_to_see_the_message(filled, workers):
    class Reading(Spy):
        def __init__(self):
            super().__init__()
            self.bodies = []

        def on_settle(self, messages):
            self.bodies += [decode(message.delivery.body).arguments["x"] for message in messages]
            super().on_settle(messages)

    run(filled, workers, Counter(), reading := Reading())
    assert sorted(map(str, reading.bodies)) == sorted([*map(str, range(30)), "asks", "fails"])
