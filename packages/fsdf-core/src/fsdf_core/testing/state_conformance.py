"""What every state store must do.

Subclass `StateConformance` in a test module, with a fixture `store_url`: the URL of an empty store. A store that no
URL can open overrides the fixture `store`; one with a clock of its own overrides `elapse`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from fsdf_core.testing.state_sharing import PATIENCE, StateSharing, open_url
from fsdf_core.testing.state_watching import StateWatching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsdf_core.state import StateStore

_TTL = 0.6
_WOKEN_WITHIN = 0.3


class StateConformance(StateSharing, StateWatching):
    """Values, counters, hashes, leases, notifications."""

    @pytest.fixture
    def store(self, store_url: str) -> Iterator[StateStore]:
        """Return the store under test."""
        store = open_url(store_url)
        yield store
        store.close()

    @pytest.fixture
    def elapse(self) -> Callable[[float], None]:
        """Return a function that lets seconds pass for the store."""

        def really(seconds: float) -> None:
            threading.Event().wait(seconds)

        return really

    def test_values(self, store: StateStore) -> None:
        store.set({"a": b"1", "b": b"2"})
        store.set({"b": b"3"}, ttl=60)
        assert store.get(["b", "absent", "a", "b"]) == [b"3", None, b"1", b"3"]
        assert store.delete(["a", "a", "absent"]) == 1
        assert store.get(["a"]) == [None]

    def test_nothing_is_asked_for(self, store: StateStore) -> None:
        store.set({})
        store.hash_set("h", {})
        assert store.get([]) == []
        assert store.add({}) == set()
        assert store.touch({}, 1) == set()
        assert store.delete([]) == 0
        assert store.hash_delete("h", []) == 0
        assert store.hash_get("h") == {}
        assert store.delete(["h"]) == 0

    @pytest.mark.parametrize(
        "value",
        [b"", b"\x00", bytes(range(256)), b"%s'\"\\", b"x" * 1_000_000],
        ids=["empty", "0", "all", "sql", "1 MB"],
    )
    def test_any_bytes(self, store: StateStore, value: bytes) -> None:
        store.set({"set": value})
        store.add({"add": value})
        store.hash_set("hash", {"field": value})
        assert store.get(["set", "add"]) == [value, value]
        assert store.hash_get("hash") == {"field": value}
        assert store.replace("set", value, b"new")
        assert store.touch({"add": value}, 60) == {"add"}

    @pytest.mark.parametrize("key", ["", "你好 ✓ \U0001f600", "k" * 200, "a b\n\t%_'\"\\", "a\x00b"])
    def test_any_key(self, store: StateStore, key: str) -> None:
        store.hash_set(key, {key: b"field"})
        assert store.add({key: b"value"}) == {key}
        assert store.get([key]) == [b"value"]
        assert store.hash_get(key) == {key: b"field"}
        assert store.acquire(key, key, 60) is not None
        assert store.release(key, key)
        assert store.delete([key]) == 1
        assert store.get([key]) == [None]
        assert store.hash_get(key) == {}

    def test_keys_are_exact(self, store: StateStore) -> None:
        keys = ["key", "KEY", "Key", "key ", "kéy", "ke\u0301y", "ss", "ß"]
        assert store.add({key: key.encode() for key in keys}) == set(keys)
        assert store.get(keys) == [key.encode() for key in keys]
        store.hash_set("h", {key: key.encode() for key in keys})
        assert store.hash_get("h") == {key: key.encode() for key in keys}
        assert store.acquire("lease", "a", 60) is not None
        assert store.acquire("LEASE", "b", 60) is not None
        assert store.acquire("lease", "A", 60) is None

    def test_ten_thousand_keys_in_one_call(self, store: StateStore) -> None:
        values = {f"key-{number}": b"%d" % number for number in range(10_000)}
        store.set({"key-7": b"mine"})
        assert store.add(values, ttl=600) == values.keys() - {"key-7"}
        store.set(values, ttl=600)
        assert store.get(list(values)) == list(values.values())
        assert store.touch(values | {"key-8": b"other"}, 600) == values.keys() - {"key-8"}
        store.hash_set("h", values)
        assert store.hash_get("h") == values
        assert store.hash_delete("h", list(values)) == 10_000
        assert store.delete(list(values)) == 10_000

    def test_values_expire(self, store: StateStore, elapse: Callable[[float], None]) -> None:
        store.set({"short": b"1", "renewed": b"2", "kept": b"3"}, ttl=_TTL)
        store.set({"long": b"4"}, ttl=60)
        store.set({"kept": b"3"})
        assert store.touch({"renewed": b"2", "short": b"other", "absent": b""}, ttl=60) == {"renewed"}
        assert store.add({"short": b"5"}) == set()
        elapse(_TTL + 0.1)
        assert store.get(["short", "renewed", "kept", "long"]) == [None, b"2", b"3", b"4"]
        assert store.touch({"short": b"1"}, ttl=60) == set()
        assert not store.replace("short", b"1", b"2")
        assert store.delete(["short"]) == 0
        assert store.add({"short": b"6"}) == {"short"}
        assert store.get(["short"]) == [b"6"]

    def test_add_and_replace_set_the_ttl(self, store: StateStore, elapse: Callable[[float], None]) -> None:
        store.add({"a": b"1"}, ttl=_TTL)
        store.set({"b": b"1", "c": b"1"}, ttl=_TTL)
        assert store.replace("b", b"1", b"2")
        assert store.replace("c", b"1", b"1", ttl=60)
        assert not store.replace("c", b"2", b"3")
        assert not store.replace("absent", b"", b"3")
        elapse(_TTL + 0.1)
        assert store.get(["a", "b", "c", "absent"]) == [None, b"2", b"1", None]

    def test_counters(self, store: StateStore, elapse: Callable[[float], None]) -> None:
        assert store.increment("n", ttl=_TTL) == 1
        assert store.increment("n", -5, ttl=60) == -4
        assert store.increment("for ever", 10**15) == 10**15
        assert store.get(["n"]) == [b"-4"]
        elapse(_TTL + 0.1)
        assert store.increment("n", 2) == 2
        assert store.increment("for ever") == 10**15 + 1
        store.set({"text": b"text"})
        with pytest.raises(ValueError):  # noqa: PT011 - each store has its own words
            store.increment("text")
        assert store.get(["text"]) == [b"text"]

    def test_hashes(self, store: StateStore) -> None:
        store.hash_set("h", {"a": b"1", "b": b"2"})
        store.hash_set("h", {"b": b"3"})
        store.hash_set("other", {"a": b"4"})
        assert store.hash_get("h") == {"a": b"1", "b": b"3"}
        assert store.hash_delete("h", ["a", "absent"]) == 1
        assert store.hash_get("h") == {"b": b"3"}
        assert store.delete(["h", "absent"]) == 1
        assert store.hash_get("h") == {}
        assert store.hash_get("other") == {"a": b"4"}

    def test_leases(self, store: StateStore, elapse: Callable[[float], None]) -> None:
        first = store.acquire("lease", "a", _TTL)
        assert first is not None
        assert store.acquire("lease", "b", 60) is None
        assert store.acquire("lease", "a", _TTL) == first
        assert not store.release("lease", "b")
        assert not store.release("unknown", "a")
        elapse(_TTL + 0.1)
        assert not store.release("lease", "a")
        second = store.acquire("lease", "b", 60)
        assert second is not None
        assert second > first
        assert store.acquire("lease", "a", 60) is None
        assert store.release("lease", "b")
        assert not store.release("lease", "b")
        third = store.acquire("lease", "a", 60)
        assert third is not None
        assert third > second

    def test_a_renewal_lasts(self, store: StateStore, elapse: Callable[[float], None]) -> None:
        token = store.acquire("lease", "a", _TTL)
        assert store.acquire("lease", "a", 60) == token
        elapse(_TTL + 0.1)
        assert store.acquire("lease", "b", 60) is None
        assert store.acquire("lease", "a", 60) == token

    def test_a_wait_without_a_notification_lasts_its_time(self, store: StateStore) -> None:
        store.notify("channel")
        store.notify("other")
        store.wait("channel", 0.5)
        started = time.monotonic()
        assert store.wait("channel", 0.3) is False
        assert 0.25 < time.monotonic() - started < 3

    def test_notify_wakes(self, store: StateStore) -> None:
        assert min(_woken_after(store, store) for _ in range(3)) < _WOKEN_WITHIN

    def test_notify_wakes_another_store(self, store: StateStore, request: pytest.FixtureRequest) -> None:
        if not store.cross_process:
            return
        other = open_url(request.getfixturevalue("store_url"))
        try:
            assert min(_woken_after(store, other) for _ in range(3)) < _WOKEN_WITHIN
        finally:
            other.close()

    def test_close_ends_a_wait(self, store: StateStore) -> None:
        store.wait("channel", 0.1)
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.append(store.wait("channel", PATIENCE)))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        store.close()
        waiting.join(10)
        assert answers == [False]
        store.set({"a": b"1"})
        assert store.get(["a"]) == [b"1"]


def _woken_after(waiting: StateStore, notifying: StateStore) -> float:
    """Return the seconds between the end of a notification and the end of the wait."""
    notifying.get(["connect"])
    waiting.wait("channel", 0.1)
    sent: list[float] = []

    def send() -> None:
        notifying.notify("channel")
        sent.append(time.monotonic())

    timer = threading.Timer(0.5, send)
    timer.start()
    woken = waiting.wait("channel", PATIENCE)
    ended = time.monotonic()
    timer.join()
    assert woken
    return ended - sent[0]
