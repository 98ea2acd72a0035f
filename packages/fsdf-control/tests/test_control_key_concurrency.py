"""At most n at once for a value: alone, shared, and in real consumers."""

import doctest
import logging
import random
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsdf_control import key_concurrency
from fsdf_control.key_concurrency import KeyConcurrency
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.errors import StateUnavailable
from fsdf_core.host import Host
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import DeadLetter, Delay, Drop
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor


def started(control, clock, name="c"):
    control.start(
        Host(
            queue=MemoryBroker().queue("q"),
            consumer_id=name,
            pool=SoloExecutor(),
            clock=clock,
            logger=logging.getLogger("fsdf.q"),
            stopping=threading.Event(),
            wake=lambda: None,
            abandon=lambda message, error: None,
        )
    )
    return control


def calls(*sites):
    return [Message({"site": site}, {"task_id": "t"}) for site in sites]


def admitted(control, messages):
    verdicts = control.admit_many(messages)
    return [message for message, verdict in zip(messages, verdicts, strict=True) if verdict is None]


def test_at_most_the_limit_of_each_value():
    control = started(KeyConcurrency("site", limit=2), ManualClock())
    messages = calls("a", "a", "b", "a", "b", "b")
    assert admitted(control, messages) == [messages[0], messages[1], messages[2], messages[4]]
    control.on_settle(messages[:1])
    assert len(admitted(control, calls("a", "a", "b"))) == 1


def test_the_delay_grows_with_those_that_wait_and_ends_at_five_seconds():
    clock = ManualClock()
    control = started(KeyConcurrency("site"), clock)
    delays = [each.seconds for each in control.admit_many(calls(*"a" * 60))[1:]]
    assert delays[:3] == pytest.approx([0.2, 0.4, 0.6])
    assert delays == sorted(delays)
    assert delays[-1] == 5.0
    clock.advance(30)
    assert control.admit_many(calls("a")) == [Delay(0.2)]


def test_waiting_keys_are_forgotten():
    clock = ManualClock()
    control = started(KeyConcurrency(lambda arguments: "all"), clock)
    control.admit_many(calls("a", "b", "c"))
    assert control._waiting
    clock.advance(20)
    control.admit_many([])
    assert not control._waiting


@pytest.mark.parametrize("same", [(1, 1), ({"x": 1, "y": [2]}, {"y": [2], "x": 1}), (None, None), (b"raw", b"raw")])
def test_equal_values_are_one_key(same):
    control = started(KeyConcurrency("site"), ManualClock())
    assert len(admitted(control, calls(*same))) == 1


def test_different_values_and_no_value():
    control = started(KeyConcurrency("site"), ManualClock())
    assert len(admitted(control, calls(1, "1", 1.5, None, "a"))) == 5
    assert len(admitted(control, [Message({}, {}), Message({}, {})])) == 1
    exempt = started(KeyConcurrency(lambda arguments: arguments.get("site")), ManualClock())
    assert len(admitted(exempt, [Message({}, {}), Message({}, {})])) == 2


def test_a_key_that_cannot_be_told_is_a_dead_letter(caplog):
    control = started(KeyConcurrency(lambda arguments: arguments["site"]["name"]), ManualClock())
    verdicts = control.admit_many([*calls(3, 4), *calls({"name": "a"})])
    assert [type(verdict) for verdict in verdicts] == [DeadLetter, DeadLetter, type(None)]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("bad", [{"limit": 0}, {"retry_after": 0}, {"retry_after": 6}])
def test_a_wrong_parameter_is_named(bad):
    with pytest.raises(ValueError, match="limit"):
        KeyConcurrency("site", **bad)


def test_shared_by_consumers_and_free_after_a_settlement():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    first, second = (started(KeyConcurrency("site", 2, store), clock, name) for name in "ab")
    running = admitted(first, calls("a", "b")) + admitted(second, calls("a", "a"))
    assert len(running) == 3
    assert admitted(first, calls("a")) == []
    assert len(admitted(first, calls("b", "b"))) == 1
    first.on_settle(running)
    clock.advance(0.01)
    assert len(admitted(second, calls("a", "a"))) == 1


def test_shared_slots_live_as_long_as_their_consumer():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    first, second = (started(KeyConcurrency("site", 1, store), clock, name) for name in "ab")
    assert admitted(first, calls("a"))
    for _ in range(40):
        clock.advance(0.5)
        first.tick(clock.monotonic())
        assert not admitted(second, calls("a"))
    waited = 0.0
    while not admitted(second, calls("a")):
        clock.advance(0.5)
        waited += 0.5
    assert 3.5 <= waited <= 5


def test_shared_a_consumer_that_stood_still_does_not_free_anothers_slot(caplog):
    clock = ManualClock()
    store = MemoryStateStore(clock)
    first, second = (started(KeyConcurrency("site", 1, store), clock, name) for name in "ab")
    stale = admitted(first, calls("a"))
    clock.advance(6)
    taken = admitted(second, calls("a"))
    assert taken
    first.on_settle(stale)
    clock.advance(0.1)
    assert not admitted(first, calls("a"))
    second.on_settle(taken)
    clock.advance(0.1)
    mine = admitted(first, calls("a"))
    clock.advance(6)
    first.tick(clock.monotonic())
    assert "ran out" in caplog.text
    first.on_settle(mine)


def test_shared_stop_frees_and_a_new_start_begins_empty():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    first, second = (started(KeyConcurrency("site", 1, store), clock, name) for name in "ab")
    assert admitted(first, calls("a"))
    first.stop()
    clock.advance(0.01)
    taken = admitted(second, calls("a"))
    assert taken
    started(first, clock)
    assert not admitted(first, calls("a"))
    second.on_settle(taken)
    clock.advance(0.01)
    assert admitted(first, calls("a"))


def test_shared_without_the_store_nothing_is_taken_and_settling_is_tried_again():
    class Away(MemoryStateStore):
        away = False

        def add(self, values, ttl=None):
            if self.away:
                raise StateUnavailable("gone")
            return super().add(values, ttl)

        def touch(self, values, ttl):
            if self.away:
                raise StateUnavailable("gone")
            return super().touch(values, ttl)

    clock = ManualClock()
    store = Away(clock)
    control = started(KeyConcurrency("site", 1, store), clock)
    assert StateUnavailable.__mro__[1] in control.retryable_errors
    running = admitted(control, calls("a"))
    store.away = True
    refused = calls("b")
    with pytest.raises(StateUnavailable):
        control.admit_many(refused)
    control.on_settle(refused)
    with pytest.raises(StateUnavailable):
        control.on_settle(running)
    store.away = False
    control.on_settle(running)
    clock.advance(0.01)
    assert len(admitted(control, calls("a", "b"))) == 2
    store.away = True
    control.stop()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans())), st.integers(1, 3), st.booleans())
def test_never_more_than_the_limit_at_once(steps, limit, shared):
    clock = ManualClock()
    store = MemoryStateStore(clock) if shared else None
    fleet = [started(KeyConcurrency("site", limit, store), clock, str(place)) for place in range(3 if shared else 1)]
    running = [[] for _ in fleet]
    for place, site, begin in steps:
        clock.advance(0.01)
        member = place % len(fleet)
        if begin:
            running[member] += admitted(fleet[member], calls(site, site))
        elif running[member]:
            fleet[member].on_settle([running[member].pop()])
        counts = Counter(message.arguments["site"] for messages in running for message in messages)
        assert max(counts.values(), default=0) <= limit


POOLS = {"THREADING": lambda: ShrinkableThreadPoolExecutor(max_workers=16), "SINGLE_THREAD": SoloExecutor}


class DropSome(Control):
    def admit(self, message):
        return Drop("unwanted") if message.arguments["number"] % 5 == 0 else None


@pytest.mark.parametrize("shared", [False, True], ids=["local", "shared"])
@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_real_consumers_whatever_becomes_of_the_messages(pool, shared):
    queue = MemoryBroker().queue("q", serialize=True)
    store = MemoryStateStore() if shared else None
    Publisher(queue).publish_many([{"site": number % 3, "number": number} for number in range(60)])
    lock = threading.Lock()
    now, most, done = Counter(), Counter(), set()
    pause = threading.Event()

    def task(site, number):
        with lock:
            now[site] += 1
            most[site] = max(most[site], now[site])
        pause.wait(random.uniform(0, 0.01))
        with lock:
            now[site] -= 1
            done.add(number)
        if number % 7 == 0:
            raise ValueError("some fail")

    with pool() as first, pool() as second:
        consumers = [
            Consumer(task, queue=queue, pool=each, controls=[KeyConcurrency("site", 2, store, 0.02), DropSome()])
            for each in ([first, second] if shared else [first])
        ]
        for consumer in consumers:
            consumer.start()
        for _ in range(1000):
            if not queue.size().total:
                break
            pause.wait(0.02)
        for consumer in consumers:
            consumer.stop()
    assert done == {number for number in range(60) if number % 5}
    assert max(most.values()) <= 2


def test_docstrings_tell_the_truth():
    result = doctest.testmod(key_concurrency)
    assert result.attempted
    assert not result.failed


def test_two_shared_limits_of_one_queue_do_not_see_each_other():
    store, clock = MemoryStateStore(), ManualClock()
    by_shop = started(KeyConcurrency("shop", store=store), clock)
    by_user = started(KeyConcurrency("user", store=store), clock)
    message = Message({"shop": 5, "user": 5}, {"task_id": "t"})
    assert admitted(by_shop, [message]) == [message]
    assert admitted(by_user, [message]) == [message]
    by_name = started(KeyConcurrency(lambda arguments: arguments["user"], store=store, name="user"), clock, "d")
    assert admitted(by_name, [Message({"user": 5}, {"task_id": "u"})]) == []
