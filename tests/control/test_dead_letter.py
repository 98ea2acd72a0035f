"""Dead letters on every embedded broker."""

import time

from fsdf_control.dead_letter import DeadLetterOnRequest
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.errors import ExceptionForPushToDlxqueue
from fsdf_core.publisher import Publisher
from fsdf_core.testing.fitting import FittingConsumer as Consumer


def test_asked_for_listed_replayed_and_dropped(embedded, workers, emptied):
    queue = embedded.queue("q")
    dead = DeadLetters(queue)
    ran = []

    def work(task, *names):
        Publisher(queue).publish_many(({"x": name}, {"task_id": name}) for name in names)
        with Consumer(task, queue=queue, pool=workers, controls=[DeadLetterOnRequest()]) as consumer:
            consumer.start()
            assert emptied(queue)

    def refuse(x):
        raise ExceptionForPushToDlxqueue(f"bad {x}")

    for name in "abcde":  # one by one: workers do not keep the order
        work(refuse, name)
    for _ in range(2):
        listed = dead.list()
        assert [(task.task_id, task.reason, task.queue) for task in listed] == [(x, f"bad {x}", "q") for x in "abcde"]
    assert dead.replay(["b", "d"]) == 2
    assert dead.drop(["c"]) == 1
    work(lambda x: ran.append(x))
    assert sorted(ran) == ["b", "d"]
    assert [task.task_id for task in dead.list()] == ["a", "e"]
    assert dead.replay() == 2
    started = time.monotonic()
    assert (dead.count(), dead.list()) == (0, [])
    assert time.monotonic() - started < 0.3


def test_raw_bodies_come_back_as_they_were(embedded, workers, emptied):
    queue = embedded.queue("raw")
    for body in (b"\xff\x00", "no JSON, only text é"):
        Publisher(queue).send_raw(body)
    with Consumer(print, queue=queue, pool=workers) as consumer:
        consumer.start()
        assert emptied(queue)
    dead = DeadLetters(queue)
    assert {task.body for task in dead.list()} == {b"\xff\x00", "no JSON, only text é".encode()}
    assert dead.replay() == 2
    subscription = queue.subscribe("reader", 10)
    found = subscription.receive(10, 5)
    found += subscription.receive(10, 5) if len(found) < 2 else []
    assert {delivery.body for delivery in found} == {b"\xff\x00", "no JSON, only text é".encode()}
    subscription.close()
