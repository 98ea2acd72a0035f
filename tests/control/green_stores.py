"""Stores whose drivers wait in C do not stop the greenlets; run by `green_run.py`."""

import sqlite3
import threading
from contextlib import closing

import pytest

from fsdf_core.records import TaskRecord
from fsdf_core.registry import open_records, open_state
from fsdf_core.settings import Settings
from fsdf_core.waiting import wait_until

PATIENCE = 60
TICKS = 100


@pytest.fixture
def ticks():
    """Count, every hundredth of a second, in a greenlet."""
    seen, stopped = [], threading.Event()

    def tick():
        while not stopped.wait(0.01):
            seen.append(1)

    ticking = threading.Thread(target=tick)
    ticking.start()
    yield seen
    stopped.set()
    ticking.join(PATIENCE)


def test_a_slow_state_store(tmp_path, ticks):
    store = open_state(Settings(home=tmp_path))
    keep_ticking(tmp_path / "state.sqlite", ticks, lambda: store.set({"a": b"1"}))
    assert store.get(["a"]) == [b"1"]
    store.close()


def test_a_slow_record_store(tmp_path, ticks):
    store = open_records(Settings(home=tmp_path))
    record = TaskRecord("a", "q", "task", "success", 1.0, 2.0, 3.0)
    keep_ticking(tmp_path / "records.sqlite", ticks, lambda: store.save([record]))
    assert store.get("a").queue == "q"
    store.scanned = 7
    assert store.scanned == 7
    store.close()


def keep_ticking(file, ticks, write):
    """Write, while another connection holds the file's lock, for which the driver waits in C."""
    write()
    ended = []

    def end():
        try:
            write()
            ended.append("written")
        except Exception as error:
            ended.append(error)
            raise

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer = threading.Thread(target=end)
        writer.start()
        before = len(ticks)
        assert wait_until(lambda: len(ticks) > before + TICKS or ended, PATIENCE, 0.01)
        assert not ended
        other.execute("ROLLBACK")
        writer.join(PATIENCE)
    assert ended == ["written"]
