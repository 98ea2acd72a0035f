"""Messages without options in memory: made when somebody wants to see them, and then as any other."""

import asyncio

import pytest

from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.codec import as_sent, decode
from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.control import Control
from fsdf_core.dead_letter import SUFFIX
from fsdf_core.publisher import Publisher
from fsdf_core.ready import opened
from fsdf_core.verdict import DeadLetter, Drop, Retry
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor

PATIENCE = 30
POOLS = {"threads": ShrinkableThreadPoolExecutor, "coroutines": AsyncPool}


@pytest.fixture
def queue():
    return MemoryBroker().queue("mails")


@pytest.fixture(params=POOLS)
def run(request, queue):
    """Return what consumes the queue with a function, plain or async as the pool likes it, until some have ended."""

    def consume(function, count, *controls):
        async def waiting(**arguments):
            await asyncio.sleep(0)
            return function(**arguments)

        task = waiting if request.param == "coroutines" else function
        with POOLS[request.param](2) as pool, Consumer(task, queue=queue, pool=pool, controls=controls) as consumer:
            consumer.start()
            assert wait_until(lambda: consumer.finished == count, PATIENCE)

    return consume


def delivered(queue):
    subscription = queue.subscribe("c", 10)
    (delivery,) = subscription.receive(10, 1)
    return delivery


def test_a_body_is_read_as_it_was_published(queue):
    sent = Publisher(queue).publish({"x": 1})
    delivery = delivered(queue)
    for message in (opened(delivery), decode(delivery.body, delivery, "mails")):
        assert (message.arguments, message.extra) == ({"x": 1}, sent.extra)
        assert (message.delivery, message.queue_name) == (delivery, "mails")
    assert opened(delivery).plain
    assert as_sent(delivery.body) == {"x": 1, "extra": sent.extra}


@pytest.mark.parametrize("extra", [{"countdown": None}, {"task_id": 5}, {"task_id": "t", "publish_time": 1}])
def test_control_data_of_the_users_own(queue, extra):
    sent = Publisher(queue).publish({"x": 1}, extra)
    delivery = delivered(queue)
    message = decode(delivery.body, delivery, "mails")
    assert (message.extra, message.task_id) == (sent.extra, str(sent.extra["task_id"]))


def test_a_task_sees_its_message(queue, run):
    seen = []

    def task(x):
        message = current_message.get()
        seen.append((message is current_message.get(), x, message.arguments["x"], message.task_id, message.queue_name))

    ids = [message.task_id for message in Publisher(queue).publish_many({"x": x} for x in range(100))]
    run(task, 100)
    assert sorted(seen, key=lambda each: each[1]) == [(True, x, x, ids[x], "mails") for x in range(100)]


class Again(Control):
    def on_error(self, message, error, attempt):
        return Retry(0) if attempt < 3 else DeadLetter("enough", str(error))


@pytest.mark.parametrize("looks", [True, False])
def test_a_failure_keeps_what_its_task_noted(queue, run, looks):
    attempts = []

    def task(x):
        if looks or attempts:
            message = current_message.get()
            message.extra["noted"] = [*message.extra.get("noted", []), message.attempt]
        attempts.append(x)
        raise OSError("no")

    sent = Publisher(queue).publish({"x": 7})
    run(task, 1, Again())
    assert attempts == [7] * 3
    dead = delivered(queue.broker.queue("mails" + SUFFIX))
    letter = decode(dead.body, dead)
    assert letter.arguments == {"x": 7}
    assert letter.extra["task_id"] == sent.task_id
    assert letter.extra["noted"] == ([1, 2, 3] if looks else [2, 3])


def test_a_control_that_asks_sees_messages(queue, run):
    asked, ran = [], []

    class Odd(Control):
        def admit(self, message):
            asked.append((message.task_id, message.plain, message.queue_name))
            return Drop("odd") if message.arguments["x"] % 2 else None

    ids = [message.task_id for message in Publisher(queue).publish_many({"x": x} for x in range(10))]
    run(lambda x: ran.append(x), 10, Odd())
    assert asked == [(task_id, True, "mails") for task_id in ids]
    assert sorted(ran) == [0, 2, 4, 6, 8]


def test_one_with_options_among_others(queue, run):
    asked = []

    class Optional(Control):
        options_only = True

        def admit_many(self, messages):
            asked.append([message.arguments["x"] for message in messages])
            return [None] * len(messages)

    ran = []
    publisher = Publisher(queue)
    publisher.publish_many([{"x": 0}, ({"x": 1}, {"option": True}), {"x": 2}])
    run(lambda x: ran.append(x), 3, Optional())
    (together,) = asked  # 2 came with them or later
    assert together[:2] == [0, 1]
    assert sorted(ran) == [0, 1, 2]


class Paper(ShrinkableThreadPoolExecutor):
    """Takes calls and begins none."""

    def execute_many(self, call, count):
        pass


def test_what_nobody_began_goes_back_whole(queue):
    sent = Publisher(queue).publish_many({"x": x} for x in range(50))
    with Paper(10) as pool:
        consumer = Consumer(print, queue=queue, pool=pool)
        consumer.start()
        assert wait_until(lambda: queue.size().unacked == 10, PATIENCE)
        consumer.stop()
    left = queue.subscribe("c", 100).receive(100, 1)
    assert sorted(opened(each).task_id for each in left) == [message.task_id for message in sent]
    assert [each.delivery_count for each in left] == [1] * 50
