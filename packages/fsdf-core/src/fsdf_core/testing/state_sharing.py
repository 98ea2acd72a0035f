"""What threads and processes may expect of the state store that they share; part of `StateConformance`."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from fsdf_core.green.state import cooperative_state
from fsdf_core.registry import states
from fsdf_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from fsdf_core.state import StateStore

T = TypeVar("T")

PATIENCE = 60.0
_THREADS = 8
_PROCESSES = 2


def open_url(url: str) -> StateStore:
    """Open a store, as `open_state` does, but not shared."""
    return cooperative_state(states.get(url.partition(":")[0].partition("+")[0]).from_url(url, Settings()))


class StateSharing:
    """Of many who want the same, one gets it."""

    def test_one_thread_gets_each_key(self, store: StateStore) -> None:
        keys = {f"key-{number}": b"%d" % number for number in range(50)}

        def work(thread: int) -> tuple[set[str], bool, bool]:
            added = store.add(dict(reversed(keys.items())) if thread % 2 else keys)
            won = store.acquire("lease", str(thread), 60) is not None
            return added, won, store.replace("swap", b"old", b"%d" % thread)

        store.set({"swap": b"old"})
        added, won, swapped = zip(*_in_threads(work), strict=True)
        assert sorted(key for some in added for key in some) == sorted(keys)
        assert sum(won) == 1
        assert sum(swapped) == 1

    def test_threads_count_together(self, store: StateStore) -> None:
        def work(_: int) -> list[int]:
            return [store.increment("n") for _ in range(25)]

        assert sorted(total for some in _in_threads(work) for total in some) == list(range(1, 25 * _THREADS + 1))

    def test_threads_write_the_same_keys(self, store: StateStore) -> None:
        names = [f"key-{number}" for number in range(100)]

        def work(thread: int) -> None:
            mine = dict.fromkeys(reversed(names) if thread % 2 else names, b"%d" % thread)
            for _ in range(5):
                store.set(mine, ttl=60)
                store.touch(mine, 60)
                store.hash_set("h", mine)
                store.delete(names[:10])

        _in_threads(work)
        assert None not in store.get(names[10:])
        assert len(store.hash_get("h")) == 100

    def test_processes_share(self, store: StateStore, request: pytest.FixtureRequest) -> None:
        if not store.cross_process:
            return
        url = request.getfixturevalue("store_url")
        with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
            done = [pool.apply_async(_in_a_process, (url, str(number))) for number in range(_PROCESSES)]
            added, totals, won = zip(*(one.get(PATIENCE) for one in done), strict=True)
        assert sorted(key for some in added for key in some) == sorted(f"key-{number}" for number in range(200))
        assert max(totals) == 50 * _PROCESSES
        assert sum(won) == 1
        assert store.increment("n") == 50 * _PROCESSES + 1


def _in_threads(work: Callable[[int], T]) -> list[T]:
    barrier = threading.Barrier(_THREADS)

    def together(thread: int) -> T:
        barrier.wait(PATIENCE)
        return work(thread)

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(together, range(_THREADS), timeout=PATIENCE))


def _in_a_process(url: str, name: str) -> tuple[set[str], int, bool]:
    store = open_url(url)
    try:
        added = {key for number in range(200) for key in store.add({f"key-{number}": name.encode()})}
        total = max(store.increment("n") for _ in range(50))
        return added, total, store.acquire("lease", name, 60) is not None
    finally:
        store.close()
