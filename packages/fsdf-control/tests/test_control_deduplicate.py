"""Deduplicate: what is sent, what is not, and whose id a duplicate carries."""

import threading

import pytest

from fsdf_control.deduplicate import Deduplicate
from fsdf_control.delay import Delay
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.control import Control
from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import Drop


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store(clock):
    return MemoryStateStore(clock)


def task(name, x=1, **extra):
    message = Message({"x": x}, {"task_id": name, **extra})
    message.queue_name = "q"
    return message


@pytest.mark.parametrize("ttl", [0, -1, float("nan")])
def test_wrong_times_are_refused(store, ttl):
    with pytest.raises(ValueError, match="ttl"):
        Deduplicate(store, ttl)


def test_a_queue_is_needed(store):
    with pytest.raises(ConfigurationError, match="queue_name"):
        Deduplicate(store, 60).on_publish(Message({}, {"task_id": "a"}))


def test_a_store_that_is_away_refuses(store, monkeypatch):
    def gone(values, ttl):
        raise StateUnavailable("gone")

    monkeypatch.setattr(store, "add", gone)
    with pytest.raises(StateUnavailable):
        Deduplicate(store, 60).on_publish(task("a"))


def test_a_store_that_forgets_at_once_is_no_endless_loop(store, monkeypatch):
    monkeypatch.setattr(store, "add", lambda values, ttl: set())
    with pytest.raises(StateError, match="too short"):
        Deduplicate(store, 60).on_publish(task("a"))


def test_a_duplicate_is_not_sent_and_carries_the_earlier_id(store, clock):
    rule = Deduplicate(store, 60)
    assert rule.on_publish(task("a")) is None
    again = task("b")
    assert rule.on_publish(again) == Drop("duplicate of a")
    assert again.task_id == "a"
    assert rule.on_publish(task("c", 2)) is None
    clock.advance(59)
    assert rule.on_publish(task("d")) == Drop("duplicate of a")
    clock.advance(2)
    assert rule.on_publish(task("e")) is None


def test_queues_do_not_mix_and_producers_do(store):
    assert Deduplicate(store, 60).on_publish(task("a")) is None
    assert Deduplicate(store, 60, queue_name="other").on_publish(task("b")) is None
    assert Deduplicate(store, 60, queue_name="q").on_publish(task("c")) == Drop("duplicate of a")


def test_what_counts_as_equal_may_be_told(store):
    rule = Deduplicate(store, 60, key=lambda message: str(message.arguments["x"] % 2))
    answers = [rule.on_publish(task(name, x)) for name, x in (("a", 1), ("b", 2), ("c", 3))]
    assert answers == [None, None, Drop("duplicate of a")]
    assert rule.on_publish(task("d", 1, filter_str="s")) is None


def test_a_message_that_could_not_be_sent_keeps_nobody_away(store):
    rule = Deduplicate(store, 60)
    first = task("a")
    rule.on_publish(first)
    rule.withdraw(task("b"))
    assert rule.on_publish(task("b")) == Drop("duplicate of a")
    rule.withdraw(first)
    assert rule.on_publish(task("c")) is None


def test_of_many_at_once_one_is_sent(store):
    start, answers = threading.Barrier(8), []

    def publish(name):
        start.wait(5)
        answers.append(Deduplicate(store, 60).on_publish(task(name)))

    threads = [threading.Thread(target=publish, args=(str(place),)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert answers.count(None) == 1
    assert len({answer.reason for answer in answers if answer}) == 1


def test_what_a_later_control_refuses_keeps_nobody_away(store):
    queue = MemoryBroker().queue("q")
    publisher = Publisher(queue, controls=[Deduplicate(store, 60), Delay()])
    with pytest.raises(ConfigurationError):
        publisher.publish({"x": 1}, {"eta": "tomorrow"})
    publisher.publish({"x": 1})
    with pytest.raises(ConfigurationError):
        publisher.publish_many([({"x": 2}, {}), ({"x": 3}, {"eta": "tomorrow"})])
    publisher.publish_many([{"x": 2}, {"x": 3}])
    assert queue.size().ready == 3


def test_what_a_later_control_drops_keeps_nobody_away(store):
    class Choosy(Control):
        def on_publish(self, message):
            return Drop("not now") if self.closed else None

    choosy = Choosy()
    queue = MemoryBroker().queue("q")
    publisher = Publisher(queue, controls=[Deduplicate(store, 60), choosy])
    choosy.closed = True
    assert publisher.publish({"x": 1}).settlement == Drop("not now")
    choosy.closed = False
    publisher.publish({"x": 1})
    assert "duplicate" in publisher.publish({"x": 1}).settlement.reason
    assert "duplicate" in publisher.publish({"x": 1}).settlement.reason
    assert queue.size().ready == 1
