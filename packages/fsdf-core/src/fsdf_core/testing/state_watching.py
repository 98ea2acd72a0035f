"""What those may expect who watch channels of a state store; part of `StateConformance`."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from fsdf_core.testing.state_sharing import PATIENCE, open_url

if TYPE_CHECKING:
    from fsdf_core.state import StateStore
    from fsdf_core.watch import Watch

_ROUNDS = 40


class StateWatching:
    """No notification is lost between a look and a wait."""

    def test_a_watch_hears_what_was_notified_before_the_wait(self, store: StateStore) -> None:
        with store.watch("a", "b") as watch:
            _settle(watch)
            store.notify("b", "other")
            store.notify("a")
            assert _heard(watch, {"a", "b"}) == {"a", "b"}
            _settle(watch)

    def test_who_is_told_of_values_finds_them(self, store: StateStore) -> None:
        with store.watch("a", "b") as watch:
            _settle(watch)
            store.tell({"a": b"1", "b": b"2", "c": b"3"}, 60)
            assert not store.wakes or _heard(watch, {"a", "b"}) == {"a", "b"}
            assert store.get(["a", "b", "c"]) == [b"1", b"2", b"3"]

    @pytest.mark.parametrize("number", [3, 300])
    def test_who_is_told_soon_finds_them_after_the_wait(self, store: StateStore, number: int) -> None:
        values = {f"fsdf:result:{each}": b"%d" % each for each in range(number)}
        asked = ["fsdf:result:0", "fsdf:result:2"]
        with store.watch(*asked) as watch:
            _settle(watch)
            stored = store.tell_soon(values, 60)
            if stored is None:  # it must be told at once
                return
            stored()
            assert not store.wakes or _heard(watch, set(asked)) == set(asked)
            assert store.get([*values]) == [*values.values()]

    def test_channels_come_and_go(self, store: StateStore) -> None:
        with store.watch("old") as watch:
            watch.add("new", "old")
            _settle(watch)
            watch.remove("old", "absent")
            store.notify("old", "new")
            assert _heard(watch, {"new"}) == {"new"}

    def test_all_watches_of_a_channel_hear(self, store: StateStore) -> None:
        with store.watch("a") as first, store.watch("a", "b") as second:
            _settle(first)
            _settle(second)
            store.notify("a")
            assert _heard(first, {"a"}) == _heard(second, {"a"}) == {"a"}

    def test_whoever_looks_after_watching_misses_no_change(
        self, store: StateStore, request: pytest.FixtureRequest
    ) -> None:
        other = open_url(request.getfixturevalue("store_url")) if store.cross_process else store
        turns = [threading.Event() for _ in range(_ROUNDS)]

        def tell() -> None:
            for number, turn in enumerate(turns):
                assert turn.wait(PATIENCE)
                other.set({f"key-{number}": b"1"})
                other.notify(f"key-{number}")

        try:
            with ThreadPoolExecutor(1) as pool, store.watch() as watch:
                told = pool.submit(tell)
                for number, turn in enumerate(turns):
                    key = f"key-{number}"
                    turn.set()
                    watch.add(key)
                    deadline = time.monotonic() + PATIENCE
                    while store.get([key]) == [None]:
                        assert watch.wait(PATIENCE), f"nothing heard in round {number}"
                        assert time.monotonic() < deadline
                    watch.remove(key)
                told.result(PATIENCE)
        finally:
            if other is not store:
                other.close()

    def test_close_ends_the_wait_of_a_watch(self, store: StateStore) -> None:
        watch = store.watch("a")
        _settle(watch)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(watch.wait, PATIENCE)
            store.close()
            assert waiting.result(PATIENCE) <= {"a"}
        assert watch.ended
        with store.watch("a") as again:
            _settle(again)
            store.notify("a")
            assert _heard(again, {"a"}) == {"a"}


def _settle(watch: Watch) -> None:
    """Wait until the store listens, and hear what is said for safety's sake, which ends."""
    deadline = time.monotonic() + PATIENCE
    while watch.wait(0.5):
        assert time.monotonic() < deadline, "it hears without end"


def _heard(watch: Watch, wanted: set[str]) -> set[str]:
    deadline = time.monotonic() + PATIENCE
    heard = watch.wait(PATIENCE)
    while not heard >= wanted and time.monotonic() < deadline:
        heard |= watch.wait(PATIENCE)
    return heard
