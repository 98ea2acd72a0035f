"""Delay: what waits, what is too late, what cannot be read."""

import datetime
import logging
import threading

import orjson
import pytest

from fsdf_control.delay import Delay
from fsdf_core.broker import Delivery, OutgoingMessage
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.codec import decode
from fsdf_core.consumer import Consumer
from fsdf_core.errors import ConfigurationError
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import DeadLetter, Drop, Requeue
from fsdf_core.verdict import Delay as PutOff
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

NOW = 1_774_950_000.0  # 2026-03-31T09:40:00Z


@pytest.fixture
def clock():
    return ManualClock(NOW)


def received(count=1, **extra):
    body = orjson.dumps({"x": 1, "extra": {"task_id": "t", **extra}})
    message = decode(body)
    message.delivery = Delivery(body, None, count)
    message.extra.setdefault("publish_time", NOW)
    return message


def answer(rule, message):
    return rule.admit_many([message])[0]


@pytest.mark.parametrize(
    "extra",
    [{"eta": "soon"}, {"eta": []}, {"eta": NOW * 1000}, {"countdown": "10"}, {"countdown": True}, {"countdown": 1e300}],
)
def test_what_cannot_be_read_is_neither_sent_nor_run(clock, extra, caplog):
    with pytest.raises(ConfigurationError):
        Delay(clock=clock).on_publish(Message({}, dict(extra)))
    verdict = answer(Delay(clock=clock), received(**extra))
    assert isinstance(verdict, DeadLetter)
    assert "t to the dead-letter queue" in caplog.text


def test_wrong_parameters_are_refused(clock):
    with pytest.raises(ConfigurationError, match="time zone"):
        Delay("Berlin")
    for grace in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="misfire"):
            Delay(misfire_grace_time=grace)
    with pytest.raises(ConfigurationError, match="not both"):
        Delay(clock=clock).on_publish(Message({}, {"countdown": 1, "eta": NOW}))


@pytest.mark.parametrize(
    "eta",
    [
        "2026-03-31 11:41:00",
        "2026-03-31T09:41:00Z",
        NOW + 60,
        datetime.datetime(2026, 3, 31, 11, 41),  # noqa: DTZ001
        datetime.datetime(2026, 3, 31, 9, 41, tzinfo=datetime.timezone.utc),
    ],
)
def test_an_eta_is_sent_with_a_delay_and_its_offset(clock, eta):
    message = Message({}, {"eta": eta, "publish_time": NOW})
    assert Delay("Europe/Berlin", clock=clock).on_publish(message) is None
    assert message.delay == pytest.approx(60)
    assert message.extra["eta"] == "2026-03-31T11:41:00+02:00"
    assert answer(Delay("Asia/Shanghai", clock=clock), received(eta=message.extra["eta"])) == PutOff(60)


def test_a_countdown_counts_from_the_publish_time(clock):
    message = Message({}, {"countdown": 10, "publish_time": NOW - 4})
    Delay(clock=clock).on_publish(message)
    assert (message.delay, message.extra["countdown"]) == (6, 10)
    past = Message({}, {"countdown": -10, "publish_time": NOW})
    Delay(clock=clock).on_publish(past)
    assert past.delay == 0
    assert answer(Delay(clock=clock), received(countdown=-10, publish_time=NOW)) is None


def test_a_foreign_eta_is_read_in_the_zone(clock):
    rule = Delay("Asia/Shanghai", clock=clock)
    assert answer(rule, received(eta="2026-03-31 17:40:30")) == PutOff(30)


def test_what_was_delayed_is_not_delayed_again(clock):
    rule = Delay(clock=clock)
    message = received(countdown=0.7, publish_time=NOW)
    verdict = answer(rule, message)
    assert 0.7 <= verdict.seconds < 0.75
    clock.advance(verdict.seconds - 0.004)
    assert answer(rule, message) is None


def test_a_countdown_without_a_publish_time_does_not_begin_anew(clock):
    rule = Delay("UTC", clock=clock)
    verdict = answer(rule, received(countdown=10))
    assert verdict == Requeue(10, {"eta": "2026-03-31T09:40:10+00:00", "countdown": None})
    clock.advance(10)
    assert answer(rule, received(**{**verdict.extra, "publish_time": clock.time()})) is None


def test_messages_of_a_batch_are_put_off_together(clock):
    batch = [received(countdown=100 + place / 1e6, publish_time=NOW) for place in range(1000)]
    verdicts = Delay(clock=clock).admit_many(batch)
    assert len({verdict.seconds for verdict in verdicts}) <= 2
    assert all(100 <= verdict.seconds < 100.1 for verdict in verdicts)


def test_what_comes_too_late_is_dropped_and_said_once_a_batch(clock, caplog):
    rule = Delay(clock=clock)
    late = [received(eta=NOW - 20, misfire_grace_time=10) for _ in range(5)]
    assert all(isinstance(verdict, Drop) for verdict in rule.admit_many(late))
    assert len(caplog.records) == 1
    assert answer(rule, received(eta=NOW - 20, misfire_grace_time=30)) is None
    assert answer(rule, received(eta=NOW - 20)) is None
    assert isinstance(answer(Delay(misfire_grace_time=10, clock=clock), received(eta=NOW - 20)), Drop)


@pytest.mark.parametrize("grace", [0, -5, "5", True, []])
def test_a_foreign_grace_that_is_none_is_ignored_and_said(clock, grace, caplog):
    assert answer(Delay(clock=clock), received(eta=NOW - 20, misfire_grace_time=grace)) is None
    assert "misfire_grace_time" in caplog.text


def test_retries_and_redeliveries_have_begun_in_time(clock):
    rule = Delay(misfire_grace_time=10, clock=clock)
    assert answer(rule, received(count=2, eta=NOW - 20)) is None
    again = received(eta=NOW - 20)
    again.attempt = 2
    assert answer(rule, again) is None


@pytest.mark.parametrize("kind", [ShrinkableThreadPoolExecutor, SoloExecutor])
def test_early_messages_let_others_pass_and_run_in_time(kind):
    queue = MemoryBroker().queue("q", serialize=True)
    order, done = [], threading.Event()

    def task(name):
        order.append(name)
        if len(order) == 4:
            done.set()

    bodies = [({"name": "eta"}, {"eta": "2000-01-01 00:00:00"}), ({"name": "late"}, {"countdown": 0.2})]
    bodies += [({"name": "now"}, {})]
    Publisher(queue).publish_many(bodies)
    queue.send([OutgoingMessage(b'{"name":"foreign","extra":{"countdown":0.4}}')])
    with kind(max_workers=1) as pool, Consumer(task, queue=queue, pool=pool, controls=[Delay()]) as consumer:
        consumer.start()
        assert done.wait(5)
    assert order == ["eta", "now", "late", "foreign"]


def test_what_cannot_be_read_is_kept_on_the_dead_letter_queue(caplog):
    queue = MemoryBroker().queue("q", serialize=True)
    dead = queue.broker.queue("q_dlx").subscribe("reader", 1)
    queue.send([OutgoingMessage(b'{"x":1,"extra":{"eta":"soon"}}')])
    consumer = Consumer(print, queue=queue, pool=SoloExecutor(), controls=[Delay()])
    with caplog.at_level(logging.CRITICAL), consumer:
        consumer.start()
        (delivery,) = dead.receive(1, 5)
    assert delivery.body["x"] == 1
    assert delivery.body["extra"]["eta"] == "soon"
