"""Tasks at their time on every embedded broker: in time, over restarts, in great numbers."""

import threading
import time

import pytest

from fsdf_control.delay import Delay
from fsdf_control.moments import iso_text
from fsdf_core.broker import OutgoingMessage
from fsdf_core.codec import encode
from fsdf_core.publisher import Publisher
from fsdf_core.testing.fitting import FittingConsumer as Consumer
from fsdf_pools import SoloExecutor

MANY = 100_000


@pytest.mark.realtime
def test_idle_consumers_run_tasks_at_their_time(embedded, workers, record_property):
    late, done = [], threading.Event()

    def task(due):
        late.append(time.time() - due)
        if len(late) == 6:
            done.set()

    queue = embedded.queue("q")
    publisher = Publisher(queue, controls=[Delay()])
    with Consumer(task, queue=queue, pool=workers, controls=[Delay()]) as consumer:
        consumer.start()
        for seconds in (0.9, 0.3, 1.3):
            publisher.publish({"due": time.time() + seconds}, {"countdown": seconds})
            eta = time.time() + seconds
            publisher.publish({"due": eta}, {"eta": iso_text(eta, None)})
        assert done.wait(10)
    record_property("late", max(late))
    assert min(late) > -0.02
    assert max(late) < 0.2


def test_waiting_tasks_survive_restarts(reopened):
    ran = threading.Event()
    began = time.time()
    queue = reopened().queue("q")
    Publisher(queue, controls=[Delay()]).publish({}, {"countdown": 2})
    for _ in range(7):  # more often than a message that kills its workers may be delivered
        queue = reopened().queue("q")
        with Consumer(ran.set, queue=queue, pool=SoloExecutor(), controls=[Delay()]) as consumer:
            consumer.start()
            assert not ran.wait(0.1)
    with Consumer(ran.set, queue=queue, pool=SoloExecutor(), controls=[Delay()]) as consumer:
        consumer.start()
        assert ran.wait(10)
    assert time.time() - began >= 1.99
    assert queue.broker.queue("q_dlx").size().total == 0


def bodies(eta):
    extra = {"publish_time": time.time(), "eta": eta}
    return [encode({"x": place}, {"task_id": str(place), **extra}) for place in range(MANY)]


def idle_cpu(queue, settled):
    """Return the share of a core that a consumer uses while all wait."""
    pause = threading.Event()
    with Consumer(print, queue=queue, pool=SoloExecutor(), controls=[Delay()]) as consumer:
        consumer.start()
        for _ in range(3000):
            if settled():
                break
            pause.wait(0.02)
        began = time.process_time()
        pause.wait(3)
        used = time.process_time() - began
        assert consumer.in_flight == 0
    return used / 3


@pytest.mark.parametrize("kind", ["sent with a delay", "arrived early"])
@pytest.mark.parametrize("embedded", ["memory", "sqlite"], indirect=True)
@pytest.mark.realtime
def test_a_hundred_thousand_wait_without_effort(embedded, kind, record_property):
    queue = embedded.queue("q")
    if not queue.serializes:
        queue = embedded.queue("bytes", serialize=True)
    delay = 3600 if kind == "sent with a delay" else 0
    waiting = bodies(iso_text(time.time() + 3600, None))
    for start in range(0, MANY, 1000):
        queue.send([OutgoingMessage(body, delay) for body in waiting[start : start + 1000]])
    share = idle_cpu(queue, lambda: queue.size().delayed == MANY)
    assert queue.size() == (0, MANY, 0)
    record_property("cpu", share)
    print(f"{type(embedded).__name__}, {kind}: {share:.2%} of a core")
    assert share < 0.1
