"""Watches of stores that cannot wake: by versions, and by no means at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fsdf_core.state import StateStore
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.watch import PollingWatch, Watches

PATIENCE = 60
PAUSES = 0.001, 0.01


@pytest.fixture
def versions():
    return {}


@pytest.fixture
def watches():
    return Watches()


@pytest.fixture
def watch(watches, versions):
    with PollingWatch(watches, lambda _: versions, PAUSES) as watch:
        yield watch


def test_versions_that_change_are_heard(watch, versions):
    watch.add("a", "b")
    assert watch.wait(0) == {"a", "b"}  # not known what was before
    assert watch.wait(0.02) == set()
    versions["b"] = 1
    assert watch.wait(PATIENCE) == {"b"}
    versions["other"] = 1
    assert watch.wait(0.02) == set()
    watch.add("c")
    assert watch.wait(PATIENCE) == {"c"}


def test_a_store_that_is_away_is_not_heard_until_it_is_back(watches):
    answers = [{"a": 1}, None, None, {"a": 2}]
    with PollingWatch(watches, lambda _: answers.pop(0) if len(answers) > 1 else answers[0], PAUSES) as watch:
        watch.add("a")
        assert watch.wait(0) == {"a"}
        assert watch.wait(PATIENCE) == {"a"}
        assert len(answers) == 1


def test_what_the_own_process_notifies_ends_the_pause(watches):
    with PollingWatch(watches, lambda _: {}, (PATIENCE, PATIENCE)) as watch, ThreadPoolExecutor(1) as pool:
        watch.add("a")
        watch.wait(0)
        waiting = pool.submit(watch.wait, PATIENCE)
        watches.wake("a")
        assert waiting.result(PATIENCE) == {"a"}


def test_a_watch_of_nothing_waits(watch):
    assert watch.wait(0.02) == set()


def test_a_closed_watch_hears_nothing_and_does_not_wait(watches):
    watch = watches.open(["a"])
    watch.close()
    watches.wake("a")
    watches.wake_all()
    assert watch.wait(PATIENCE) == set()
    assert not watches._watching


def test_a_store_without_a_watch_of_its_own_says_that_all_may_have_changed():
    store = MemoryStateStore()
    with StateStore.watch(store, "a", "b") as watch:
        for _ in range(3):
            assert watch.wait(PATIENCE) == {"a", "b"}
        watch.remove("a")
        assert watch.wait(PATIENCE) == {"b"}
        watch.remove("b")
        assert watch.wait(0.01) == set()
