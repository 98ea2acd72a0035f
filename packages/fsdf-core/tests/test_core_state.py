"""The memory state store."""

import threading
import time

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
