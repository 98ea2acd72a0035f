"""The memory state store."""

import os
import threading
import time
import warnings

import pytest

from fsdf_core import registry
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.settings import Settings
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock


def test_values_expire():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    store.set({"a": b"1", "b": b"2"}, ttl=10)
    store.set({"c": b"3"})
    clock.advance(10)
    assert store.get(["a", "b", "c", "d"]) == [None, None, b"3", None]


def test_add_only_what_is_absent():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    assert store.add({"a": b"1"}, ttl=5) == {"a"}
    assert store.add({"a": b"2", "b": b"2"}) == {"b"}
    assert store.get(["a", "b"]) == [b"1", b"2"]
    clock.advance(5)
    assert store.add({"a": b"3"}) == {"a"}
    assert store.delete(["a", "x"]) == 1


def test_replace_and_touch_need_the_very_value():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    store.set({"a": b"1", "b": b"2"}, ttl=5)
    assert not store.replace("a", b"x", b"3")
    assert not store.replace("absent", b"", b"3")
    assert store.replace("a", b"1", b"3", ttl=20)
    assert store.touch({"a": b"1", "b": b"2", "c": b"3"}, ttl=10) == {"b"}
    clock.advance(6)
    assert store.get(["a", "b"]) == [b"3", b"2"]
    clock.advance(4)
    assert store.touch({"b": b"2"}, ttl=10) == set()
    assert not store.replace("b", b"2", b"3")


def test_delete_takes_the_value_and_the_hash_of_a_name():
    store = MemoryStateStore()
    store.set({"a": b"1"})
    store.hash_set("a", {"f": b"1"})
    store.hash_set("b", {})
    assert store.delete(["a", "b"]) == 1
    assert store.hash_get("a") == {}


def test_close_ends_a_wait():
    store = MemoryStateStore()
    timer = threading.Timer(0.05, store.close)
    started = time.monotonic()
    timer.start()
    assert store.wait("c", 20) is False
    assert time.monotonic() - started < 10
    timer.join()


def test_counter_lives_from_its_first_use():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    assert store.increment("n", ttl=10) == 1
    clock.advance(6)
    assert store.increment("n", 4, ttl=10) == 5
    clock.advance(4)
    assert store.increment("n") == 1


def test_hashes():
    store = MemoryStateStore()
    store.hash_set("h", {"a": b"1", "b": b"2"})
    assert store.hash_delete("h", ["a", "x"]) == 1
    assert store.hash_get("h") == {"b": b"2"}
    assert store.delete(["h"]) == 1
    assert store.hash_get("h") == {}


def test_leases_are_fenced():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    first = store.acquire("l", "a", 10)
    assert first is not None
    assert store.acquire("l", "a", 10) == first
    assert store.acquire("l", "b", 10) is None
    clock.advance(11)
    assert not store.release("l", "a")
    assert store.acquire("l", "b", 10) > first
    assert store.release("l", "b")
    assert store.acquire("l", "a", 10) > first + 1


def test_notify_wakes():
    store = MemoryStateStore()
    assert store.wait("c", 0.01) is False
    timer = threading.Timer(0.05, store.notify, ("c",))
    timer.start()
    assert store.wait("c", 5) is True
    timer.join()


@pytest.fixture
def opened(monkeypatch):
    monkeypatch.setattr(registry, "_open", {})
    return lambda **names: registry.open_state(Settings(**names))


class Recording(MemoryStateStore):
    @classmethod
    def from_url(cls, url, settings):
        store = cls()
        store.url = url
        return store


@pytest.fixture
def recording(monkeypatch):
    monkeypatch.setattr(registry.states, "_loaded", {})
    registry.states.register("recording", Recording)
    registry.states.register("sqlite", Recording)


def test_one_store_for_each_url(opened, recording):
    one = opened(state_url="recording://a")
    assert opened(state_url="recording://a") is one
    assert opened(state_url="recording+driver://a") is not one
    assert one.url == "recording://a"
    assert opened(state_url="memory://") is MemoryStateStore.from_url("memory://", Settings())


def test_the_default_is_a_file_in_home(opened, recording, tmp_path):
    assert opened(home=tmp_path).url == f"sqlite:///{tmp_path.as_posix()}/state.sqlite"
    assert opened(home=tmp_path / "other") is not opened(home=tmp_path)


def test_unknown_stores(opened, recording):
    with pytest.raises(UnknownName, match=r"'recordin'.*Did you mean 'recording'"):
        opened(state_url="recordin://user:secret@host")
    with pytest.raises(ConfigurationError, match="FSDF_STATE_URL is no URL") as caught:
        opened(state_url="secret")
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_opens_its_own(opened, recording):
    one = opened(state_url="recording://a")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(int(opened(state_url="recording://a") is one))
    assert os.waitpid(child, 0)[1] == 0
    assert opened(state_url="recording://a") is one
