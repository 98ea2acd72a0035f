"""Threads that are started without a wait for their first step."""

import threading

import pytest

from fsdf_pools import ShrinkableThreadPoolExecutor, hiring
from fsdf_pools.starting import await_begin, start

PATIENCE = 10.0


def test_a_thread_is_started_without_waiting_for_it(monkeypatch):
    waits = []
    monkeypatch.setattr(threading.Event, "wait", lambda event, timeout=None: waits.append(event))
    done = threading.Event()
    thread = threading.Thread(target=done.set)
    start(thread)
    assert waits == []
    monkeypatch.undo()
    await_begin(thread, PATIENCE)
    assert thread.ident is not None
    thread.join(PATIENCE)
    assert done.is_set()
    assert not thread.is_alive()


def test_a_thread_without_the_event_is_started_all_the_same():
    class Other(threading.Thread):
        _started = None

        def start(self):
            self.begun = True

    thread = Other.__new__(Other)
    start(thread)
    await_begin(thread, PATIENCE)
    assert thread.begun


@pytest.fixture
def late(monkeypatch):
    """Threads of pools begin when this is set."""
    gate = threading.Event()

    def begin(thread):
        gate.wait(PATIENCE)
        start(thread)

    monkeypatch.setattr(hiring, "start", lambda thread: threading.Thread(target=begin, args=(thread,)).start())
    return gate


def test_the_end_waits_for_a_thread_that_has_not_begun(late):
    ran = threading.Event()
    pool = ShrinkableThreadPoolExecutor(max_workers=1)
    pool.execute(ran.set)
    assert not pool.close(timeout=0.05)
    assert not ran.is_set()
    late.set()
    assert pool.close(timeout=PATIENCE)
    assert ran.is_set()
