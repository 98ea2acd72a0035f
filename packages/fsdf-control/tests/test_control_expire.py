"""Expire."""

import threading

import pytest

from fsdf_control.expire import Expire
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import Drop
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor


@pytest.fixture
def clock():
    return ManualClock(1000.0)


def dropped(rule, **extra):
    (answer,) = rule.admit_many([Message({}, {"task_id": "t", **extra})])
    return isinstance(answer, Drop)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_wrong_ages_are_refused(seconds):
    with pytest.raises(ValueError, match="at least 0"):
        Expire(seconds)


@pytest.mark.parametrize("garbage", ["60", [], -1, True, float("nan")])
def test_garbage_in_a_message_is_ignored_and_said_once(clock, garbage, caplog):
    rule = Expire(60, clock=clock)
    assert not dropped(rule, publish_time=950.0, msg_expire_seconds=garbage)
    assert dropped(rule, publish_time=900.0, msg_expire_seconds=garbage)
    assert caplog.text.count("msg_expire_seconds") == 1


@pytest.mark.parametrize("published", ["yesterday", None, {}, 1001.0])
def test_a_message_of_unknown_age_never_expires(clock, published):
    assert not dropped(Expire(60, clock=clock), publish_time=published)
    assert not dropped(Expire(60, clock=clock))


def test_ages(clock):
    rule = Expire(60, clock=clock)
    assert [dropped(rule, publish_time=at) for at in (939.0, 940.0, 1000.0)] == [True, False, False]
    assert not dropped(rule, publish_time=0.0, msg_expire_seconds=0)
    assert dropped(rule, publish_time=990.0, msg_expire_seconds=5)
    assert not dropped(Expire(clock=clock), publish_time=0.0)
    assert dropped(Expire(0, clock=clock), publish_time=990.0, msg_expire_seconds=5)


def test_one_line_a_batch(clock, caplog):
    old = [Message({}, {"task_id": f"t{place}", "publish_time": 0.0}) for place in range(100)]
    assert all(Expire(1, clock=clock).admit_many(old))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "100" in caplog.text


@pytest.mark.parametrize("kind", [ShrinkableThreadPoolExecutor, SoloExecutor])
def test_in_a_consumer_expired_messages_leave_the_queue_unrun(kind, caplog):
    queue = MemoryBroker().queue("q", serialize=True)
    ran = []

    def task(x):
        ran.append(x)

    class Watch(Control):
        def on_settle(self, messages):
            if any(message.arguments["x"] == 2 for message in messages):
                last.set()

    last = threading.Event()
    Publisher(queue).publish_many([({"x": 1}, {"publish_time": 5.0}), ({"x": 2}, {})])
    rules = [Expire(60), Watch()]
    with kind(max_workers=1) as pool, Consumer(task, queue=queue, pool=pool, controls=rules) as consumer:
        consumer.start()
        assert last.wait(5)
    assert ran == [2]
    assert queue.size().total == 0
