"""Dead letters: what is kept of any message, and what looking, replaying and dropping promise."""

import dataclasses
import threading
import time

import orjson
import pytest

from fsdf_core.broker import Delivery, OutgoingMessage
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.codec import decode
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.dead_letter import dead_letter
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.errors import BrokerUnavailable, UnsupportedFeature
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.verdict import DeadLetter, Delay
from fsdf_pools import SoloExecutor


@pytest.fixture(params=[True, False], ids=["bytes", "objects"])
def queue(request):
    return MemoryBroker().queue("q", serialize=request.param)


class Bury(Control):
    def on_error(self, message, error, attempt):
        return DeadLetter("told so", f"{type(error).__name__}: {error}", "where it was")


def drain(queue, task=lambda **_: 1 / 0):
    with Consumer(task, queue=queue, pool=SoloExecutor(), controls=[Bury()]) as consumer:
        consumer.start()
        pause = threading.Event()
        for _ in range(500):
            if not queue.size().total:
                return
            pause.wait(0.01)
    raise AssertionError(queue.size())


def buried(queue, *names):
    Publisher(queue).publish_many(({"x": name}, {"task_id": name}) for name in names)
    drain(queue)
    return DeadLetters(queue)


def names(dead):
    return [task.task_id for task in dead.list()]


def waiting(queue):
    subscription = queue.subscribe("reader", 100)
    return subscription.receive(100, 0.01)


def limited(broker, **changes):
    kind = type(broker)
    altered = dataclasses.replace(kind.capabilities, **changes)
    return type(kind.__name__, (kind,), {"capabilities": altered})()


def test_a_broker_without_acknowledgements_is_refused():
    with pytest.raises(UnsupportedFeature, match="acknowledgements"):
        DeadLetters(limited(MemoryBroker(), acks=False).queue("q"))


def test_an_empty_queue_answers_at_once(queue):
    started = time.monotonic()
    dead = DeadLetters(queue)
    assert (dead.list(), dead.count(), dead.replay(), dead.drop()) == ([], 0, 0, 0)
    assert time.monotonic() - started < 0.3


def test_a_broker_that_cannot_count_is_looked_through():
    queue = limited(MemoryBroker(), size=False).queue("q", serialize=True)
    dead = DeadLetters(queue)
    started = time.monotonic()
    assert dead.list() == []
    assert time.monotonic() - started < 0.3
    with pytest.raises(UnsupportedFeature, match="count"):
        dead.count()
    buried(queue, "a", "b")
    assert names(dead) == ["a", "b"]
    assert dead.replay() == 2


def test_what_is_known_is_told(queue):
    before = time.time()
    (task,) = buried(queue, "a").list()
    assert (task.task_id, task.arguments, task.body) == ("a", {"x": "a"}, None)
    assert (task.reason, task.error, task.traceback) == (
        "told so",
        "ZeroDivisionError: division by zero",
        "where it was",
    )
    assert (task.attempts, task.deliveries, task.queue) == (1, 1, "q")
    assert before - 1 < task.time < time.time() + 1


def test_looking_loses_nothing_and_keeps_the_order(queue):
    many = [f"{place:03}" for place in range(450)]
    dead = buried(queue, *many)
    assert [task.task_id for task in dead.list(3)] == many[:3]
    assert [task.task_id for task in dead.list(1000)] == many
    assert dead.list(0) == []
    assert dead.count() == 450
    assert {delivery.delivery_count for delivery in waiting(queue.broker.queue("q_dlx"))} == {1}


def test_chosen_tasks_go_back_as_new(queue):
    extra = {
        "task_id": "b", "publish_time": 5.0, "_advanced_retry_count": 3, "countdown": 3, "eta": "x",
        "misfire_grace_time": 1, "priority": 7, "user_extra_info": {"kept": True},
    }  # fmt: skip
    Publisher(queue).publish({"x": 1}, extra)
    drain(queue)
    dead = buried(queue, "a", "c")
    assert dead.replay(["b", "nobody"]) == 1
    (delivery,) = waiting(queue)
    message = decode(delivery.body)
    assert message.arguments == {"x": 1}
    assert message.extra.pop("publish_time") == pytest.approx(time.time(), abs=5)
    assert message.extra == {"task_id": "b", "priority": 7, "user_extra_info": {"kept": True}}
    assert names(dead) == ["a", "c"]


def test_replayed_tasks_run(queue):
    dead = buried(queue, "a", "b")
    ran = []
    assert dead.replay(limit=1) == 1
    assert dead.replay(limit=0) == 0
    assert dead.replay([]) == 0
    drain(queue, lambda x: ran.append(x))
    assert (ran, dead.count()) == (["a"], 1)


def test_a_limit_holds_for_chosen_tasks_too(queue):
    dead = buried(queue, "a", "b", "a", "a")
    assert dead.replay(["a"], limit=2) == 2
    assert names(dead) == ["b", "a"]


def test_what_dies_again_meanwhile_is_not_replayed_for_ever(queue):
    dead = buried(queue, "a", "b")
    with Consumer(lambda x: 1 / 0, queue=queue, pool=SoloExecutor(), controls=[Bury()]) as consumer:
        consumer.start()
        assert dead.replay() == 2


def test_dropped_tasks_are_gone(queue):
    dead = buried(queue, "a", "b", "c")
    assert dead.drop(["b"]) == 1
    assert names(dead) == ["a", "c"]
    assert dead.drop() == 2
    assert dead.count() == 0


def test_a_queue_that_takes_nothing_back_keeps_the_dead(queue, monkeypatch):
    dead = buried(queue, "a", "b")

    def away(messages):
        raise BrokerUnavailable("gone")

    monkeypatch.setattr(queue, "send", away)
    with pytest.raises(BrokerUnavailable):
        dead.replay()
    assert sorted(names(dead)) == ["a", "b"]


@pytest.mark.parametrize("body", [b"no JSON", b"\xff\xfe\x00", b"[1]", b'{"x":1,"extra":5}', b""])
def test_what_is_no_task_message_is_shown_and_sent_back_as_it_was(body):
    queue = MemoryBroker().queue("q", serialize=True)
    queue.send([OutgoingMessage(body)])
    drain(queue)
    dead = DeadLetters(queue)
    (task,) = dead.list()
    assert (task.body, task.arguments, task.reason) == (body, {}, "undecodable")
    assert task.task_id
    assert dead.replay([task.task_id]) == 1
    assert [delivery.body for delivery in waiting(queue)] == [body]


@pytest.mark.parametrize("body", [{"x": 1, "extra": 5}, {"x": object, "extra": []}])
def test_objects_that_are_no_task_message_go_back_too(body):
    queue = MemoryBroker().queue("q")
    queue.send([OutgoingMessage(body)])
    drain(queue)
    dead = DeadLetters(queue)
    assert dead.replay() == 1
    (delivery,) = waiting(queue)
    sent = delivery.body if isinstance(delivery.body, dict) else orjson.loads(delivery.body)
    assert sent == body


@pytest.mark.parametrize(
    "body",
    [b"garbage", b'{"x":1}', b'{"extra":{"dead_letter":5}}', b'{"body":1,"extra":{"dead_letter":{"encoding":"utf-8"}}}',
     b'{"body":"%","extra":{"dead_letter":{"encoding":"base64","attempts":"many"}}}'],
)  # fmt: skip
def test_what_others_put_there_is_shown_and_sent_back(body):
    queue = MemoryBroker().queue("q", serialize=True)
    queue.broker.queue("q_dlx").send([OutgoingMessage(body)])
    dead = DeadLetters(queue)
    assert len(dead.list()) == 1
    assert dead.replay() == 1
    assert queue.size().ready == 1


def test_text_that_is_no_unicode_and_arguments_that_are_no_json_do_not_stop_the_burial():
    target = MemoryBroker().queue("q_dlx", serialize=True)
    message = Message({}, {"task_id": "t"}, Delivery({"x": object, "extra": {"task_id": "t"}}, None, 1))
    outgoing = dead_letter(message, DeadLetter("reason \udc80", "error \udc80", "trace \udc80"), target, 5.0)
    kept = decode(outgoing.body)
    assert kept.task_id == "t"
    assert "object" in kept.arguments["x"]
    assert kept.extra["dead_letter"]["error"] == "error \\udc80"


def test_messages_parked_at_a_stop_are_not_counted_as_delivered():
    queue = limited(MemoryBroker(), delay=False).queue("q", serialize=True)
    parked = threading.Event()

    class Later(Control):
        def admit(self, message):
            return Delay(600)

        def on_settle(self, messages):
            parked.set()

    Publisher(queue).publish({})
    for _ in range(7):
        parked.clear()
        with Consumer(print, queue=queue, pool=SoloExecutor(), controls=[Later()]) as consumer:
            consumer.start()
            assert parked.wait(5)
    assert [delivery.delivery_count for delivery in waiting(queue)] == [1]
    assert DeadLetters(queue).count() == 0
