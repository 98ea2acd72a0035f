"""Filter: who runs, who waits, who is dropped, and what a broken store costs."""

import logging
import threading

import pytest

from fsdf_control.equal_tasks import digest
from fsdf_control.filter import Filter, clear_filter
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.errors import StateUnavailable
from fsdf_core.host import Host
from fsdf_core.message import Message
from fsdf_core.outcome import Outcome
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import Delay, Drop, Requeue
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

DROPPED = Drop("filtered")


class Store(MemoryStateStore):
    """Counts round trips; can be away."""

    def __init__(self, clock):
        super().__init__(clock)
        self.calls = []
        self.away = False

    def _ask(self, name, *arguments):
        if self.away:
            raise StateUnavailable("gone")
        self.calls.append(name)
        return getattr(super(), name)(*arguments)

    def get(self, keys):
        return self._ask("get", keys)

    def add(self, values, ttl=None):
        return self._ask("add", values, ttl)

    def set(self, values, ttl=None):
        return self._ask("set", values, ttl)

    def touch(self, values, ttl):
        return self._ask("touch", values, ttl)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store(clock):
    return Store(clock)


def rule(store, clock, consumer="c", **options):
    made = Filter(store, clock=clock, **options)
    queue = MemoryBroker().queue("q")
    logger = logging.getLogger("fsdf.q")
    made.start(Host(queue, consumer, SoloExecutor(), clock, logger, threading.Event(), print, print))
    return made


def task(x=1, **extra):
    return Message({"x": x}, {"task_id": "t", **extra})


def ask(made, *messages):
    return list(made.admit_many(messages))


def end(made, message, success=True, settlement=None):
    message.settlement = settlement
    message.outcome = Outcome(success, None, None, 1, settlement)
    made.on_settle([message])


@pytest.mark.parametrize("options", [{"ttl": -1}, {"hold": 0}])
def test_wrong_parameters_are_refused(store, options):
    with pytest.raises(ValueError, match="filter"):
        Filter(store, **options)


def test_a_store_that_is_away_lets_nothing_pass_and_nothing_be_forgotten(store, clock):
    made = rule(store, clock)
    first = task()
    ask(made, first)
    store.away = True
    with pytest.raises(StateUnavailable):
        ask(made, task(2))
    with pytest.raises(StateUnavailable) as caught:
        end(made, first)
    assert isinstance(caught.value, made.retryable_errors)
    store.away = False
    made.on_settle([first])
    assert ask(made, task()) == [DROPPED]


def test_a_fault_that_is_not_the_stores_leaves_no_mark_behind(store, clock, monkeypatch):
    made = rule(store, clock)
    first = task()
    ask(made, first)
    monkeypatch.setattr(store, "set", lambda values, ttl: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        end(made, first)
    clock.advance(9)
    made.tick(clock.monotonic())
    clock.advance(2)
    assert ask(made, task()) == [None]


@pytest.mark.parametrize("garbage", ["yes", 1, 0, []])
def test_garbage_overrides_nothing(store, clock, garbage):
    made = rule(store, clock)
    assert ask(made, task(do_task_filtering=garbage), task(do_task_filtering=garbage)) == [None, Delay(0.2)]


def test_only_successes_count(store, clock):
    made = rule(store, clock)
    first, second, third = task(), task(), task()
    assert ask(made, first) == [None]
    assert ask(made, second) == [Delay(0.2)]
    end(made, first, success=False)
    assert ask(made, second) == [None]
    end(made, second)
    assert ask(made, third) == [DROPPED]


@pytest.mark.parametrize("settlement", [Requeue(1), Delay(1), Drop("no")])
def test_a_task_that_leaves_otherwise_gives_its_place_up(store, clock, settlement):
    made = rule(store, clock)
    first = task()
    ask(made, first)
    first.settlement = settlement
    made.on_settle([first])
    assert ask(made, task()) == [None]


def test_two_consumers_share_the_places(store, clock):
    one, two = rule(store, clock, "one"), rule(store, clock, "two")
    first = task()
    assert ask(one, first) == [None]
    assert ask(two, task()) == [Delay(0.2)]
    end(one, first)
    assert ask(two, task()) == [DROPPED]


def test_the_mark_of_a_dead_consumer_falls_and_that_of_a_living_one_stays(store, clock):
    dead, alive = rule(store, clock, "dead"), rule(store, clock, "alive")
    ask(dead, task(1))
    ask(alive, task(2))
    for _ in range(6):
        clock.advance(2)
        alive.tick(clock.monotonic())
    assert ask(rule(store, clock, "heir"), task(1), task(2)) == [None, Delay(0.2)]


def test_who_lost_its_mark_does_not_take_the_heirs(store, clock):
    slow, heir = rule(store, clock, "slow"), rule(store, clock, "heir")
    first = task()
    ask(slow, first)
    clock.advance(11)
    assert ask(heir, task()) == [None]
    end(slow, first, success=False)
    assert ask(slow, task()) == [Delay(0.2)]


def test_a_batch_costs_one_read_and_one_write(store, clock):
    made = rule(store, clock)
    batch = [task(x) for x in (1, 2, 3, 1, 2)]
    assert ask(made, *batch) == [None, None, None, Delay(0.2), Delay(0.2)]
    assert store.calls == ["get", "add"]
    for message in batch[3:]:
        message.settlement = Delay(0.2)
    made.on_settle(batch)  # no outcome, no settlement: a success that nobody observes
    assert store.calls == ["get", "add", "set"]
    assert ask(made, *(task(x) for x in (1, 2, 3))) == [DROPPED] * 3


def test_what_is_not_filtered_costs_nothing(store, clock):
    made = rule(store, clock, enabled=False)
    messages = [task(), task(), task(do_task_filtering=True), task(do_task_filtering=True)]
    assert ask(made, *messages[:2]) == [None, None]
    made.on_settle(messages[:2])
    made.tick(clock.monotonic() + 100)
    assert store.calls == []
    assert ask(made, *messages[2:]) == [None, Delay(0.2)]
    off = task(do_task_filtering=False)
    assert ask(rule(store, clock), off) == [None]


def test_successes_are_forgotten_in_time(store, clock):
    made = rule(store, clock, ttl=60)
    first = task()
    ask(made, first)
    end(made, first)
    clock.advance(59)
    assert ask(made, task()) == [DROPPED]
    clock.advance(2)
    assert ask(made, task()) == [None]


@pytest.mark.parametrize("ttl", [0, None])
def test_without_a_time_they_stay(store, clock, ttl):
    made = rule(store, clock, ttl=ttl)
    first = task()
    ask(made, first)
    end(made, first)
    clock.advance(1e8)
    assert ask(made, task()) == [DROPPED]


def test_clearing_forgets_successes_and_not_what_runs(store, clock):
    made = rule(store, clock)
    done, runs = task(1), task(2)
    ask(made, done, runs)
    end(made, done)
    clear_filter(store, "q")
    assert ask(made, task(1), task(1), task(2)) == [None, Delay(0.2), Delay(0.2)]
    end(made, runs)  # began before
    assert ask(made, task(2)) == [None]
    clear_filter(store, "other")
    assert ask(made, task(1)) == [Delay(0.2)]


def test_who_waits_long_asks_less_often(store, clock):
    made = rule(store, clock)
    ask(made, task())
    waits = []
    for _ in range(100):
        (verdict,) = ask(made, task())
        waits.append(verdict.seconds)
        clock.advance(verdict.seconds)
        made.tick(clock.monotonic())
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.2, 2.0)


def test_equal_is_what_says_the_same():
    assert digest(task(1, filter_str="a"), None) == digest(task(2, filter_str="a"), None)
    assert digest(task(1), lambda message: "k") == digest(task(2), lambda message: "k")
    assert digest(task(1, filter_str="a"), lambda message: "k") == digest(task(1, filter_str="a"), None)
    different = [1, "1", 2**70, 2**71, object, "\udc80", {"b": 1}, {1: 2}, None, [1], 1.5]
    assert len({digest(task(x), None) for x in different}) == len(different)
    nested = {"b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}}
    assert len({digest(task(x), None) for x in nested}) == 1
    assert digest(task(1, filter_str=5), None) == digest(task(2, filter_str=5), None)


@pytest.mark.parametrize("kind", [ShrinkableThreadPoolExecutor, SoloExecutor])
def test_in_a_consumer_equal_tasks_run_once_and_failed_ones_again(kind):
    queue = MemoryBroker().queue("q", serialize=True)
    lock, ran = threading.Lock(), []

    def work(x):
        with lock:
            ran.append(x)
            if x == 3 and ran.count(3) == 1:
                raise ValueError("the first time")

    Publisher(queue).publish_many({"x": place % 5} for place in range(50))
    with kind(max_workers=8) as pool:
        consumer = Consumer(work, queue=queue, pool=pool, controls=[Filter(MemoryStateStore())])
        consumer.start()
        pause = threading.Event()
        while queue.size().total and not pause.wait(0.01):
            pass
        assert consumer.stop(5)
    assert sorted(ran) == [0, 1, 2, 3, 3, 4]


def test_filters_with_names_do_not_see_each_other(store):
    message = Message({"x": 1}, {"task_id": "a"})
    assert Filter(store, name="one").admit_many([message]) == [None]
    assert Filter(store, name="two").admit_many([message]) == [None]
    assert Filter(store, name="one").admit_many([message]) == [Delay(0.2)]
