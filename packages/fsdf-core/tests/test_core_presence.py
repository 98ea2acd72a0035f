"""Who is alive, told from beats alone."""

import doctest

import orjson
import pytest

from fsdf_core import presence
from fsdf_core.errors import StateUnavailable
from fsdf_core.presence import Presence, presence_key
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock


class Fleet:
    """Members that tick every half second of one clock."""

    def __init__(self, store=None):
        self.store = store or MemoryStateStore()
        self.clock = ManualClock(0.0)
        self.members = {}

    def join(self, name):
        # Each member has a wall clock of its own, far from the others'.
        member = self.members[name] = Presence(self.store, "q", name, clock=ManualClock(1e6 * len(self.members)))
        member.join(self.clock.time())
        return member

    def tick(self, times=1):
        for _ in range(times):
            self.clock.advance(0.5)
            for member in self.members.values():
                member.tick(self.clock.time())

    def kill(self, name):
        return self.members.pop(name)


def test_a_death_is_noticed_within_three_seconds_and_not_before_two():
    fleet = Fleet()
    watcher = fleet.join("a")
    fleet.join("b")
    fleet.tick(10)
    fleet.kill("b")
    died = fleet.clock.time()
    while "b" in watcher.living():
        fleet.tick()
    assert 1.9 <= fleet.clock.time() - died <= 3.0
    fleet.tick(20)
    assert list(watcher.living()) == ["a"]


def test_a_newcomer_is_seen_at_the_next_tick_and_a_leaver_missed_at_the_next():
    fleet = Fleet()
    first = fleet.join("a")
    fleet.tick(3)
    second = fleet.join("b")
    fleet.tick()
    assert sorted(first.living()) == ["a", "b"]
    fleet.kill("b")
    second.leave()
    fleet.tick()
    assert list(first.living()) == ["a"]


def test_a_newcomer_trusts_nobody_before_it_has_seen_a_beat():
    fleet = Fleet()
    fleet.join("alive")
    fleet.join("dead")
    fleet.tick(3)
    fleet.kill("dead")
    newcomer = fleet.join("new")
    assert list(newcomer.living()) == ["new"]
    assert newcomer.unproven() == {"alive", "dead"}
    fleet.tick(2)
    assert sorted(newcomer.living()) == ["alive", "new"]
    assert newcomer.unproven() == {"dead"}
    fleet.tick(2)
    assert newcomer.unproven() == set()
    assert sorted(newcomer.living()) == ["alive", "new"]


def test_a_watcher_that_did_not_look_declares_nobody_dead():
    fleet = Fleet()
    watcher = fleet.join("a")
    fleet.join("b")
    fleet.tick(3)
    fleet.clock.advance(60)
    watcher.tick(fleet.clock.time())
    assert sorted(watcher.living()) == ["a", "b"]


def test_one_that_stood_still_comes_back():
    fleet = Fleet()
    watcher = fleet.join("a")
    still = fleet.join("b")
    fleet.tick(2)
    fleet.kill("b")
    fleet.tick(10)
    assert list(watcher.living()) == ["a"]
    fleet.members["b"] = still
    fleet.tick(2)
    assert sorted(watcher.living()) == ["a", "b"]


def test_a_store_that_is_away_changes_nothing():
    class Away(MemoryStateStore):
        away = False

        def hash_get(self, key):
            if self.away:
                raise StateUnavailable("gone")
            return super().hash_get(key)

    fleet = Fleet(Away())
    watcher = fleet.join("a")
    fleet.join("b")
    fleet.tick(3)
    fleet.store.away = True
    for _ in range(20):
        with pytest.raises(StateUnavailable):
            fleet.tick()
    assert sorted(watcher.living()) == ["a", "b"]
    fleet.store.away = False
    fleet.tick()
    assert sorted(watcher.living()) == ["a", "b"]


def test_long_dead_fields_are_removed():
    fleet = Fleet()
    fleet.join("a")
    fleet.join("b")
    fleet.kill("b")
    fleet.tick(2 * 3600 - 2)
    assert len(fleet.store.hash_get(presence_key("q"))) == 2
    fleet.tick(6)
    assert list(fleet.store.hash_get(presence_key("q"))) == ["a"]


def test_facts_are_told_and_may_change():
    store = MemoryStateStore()
    watcher, worker = Presence(store, "q", "w"), Presence(store, "q", "m", {"running": 1})
    watcher.join(0.0)
    worker.join(0.0)
    worker.facts["running"] = 2
    worker.tick(0.5)
    watcher.tick(0.5)
    facts = watcher.living()["m"]
    assert facts["running"] == 2
    assert facts["beat"] == 2
    assert {"host", "pid", "started"} <= facts.keys()


@pytest.mark.parametrize("garbage", [b"", b"\xff", b"[1]", b"null"])
def test_a_strangers_field_harms_nobody(garbage):
    store = MemoryStateStore()
    watcher = Presence(store, "q", "w")
    watcher.join(0.0)
    store.hash_set(presence_key("q"), {"stranger": garbage})
    watcher.tick(0.5)
    assert watcher.living()["stranger"] == {}


def test_a_field_is_json_for_others_to_read():
    store = MemoryStateStore()
    Presence(store, "q", "w", {"queue": "q"}).join(0.0)
    assert orjson.loads(store.hash_get(presence_key("q"))["w"])["queue"] == "q"


def test_docstrings_tell_the_truth():
    result = doctest.testmod(presence)
    assert result.attempted
    assert not result.failed
