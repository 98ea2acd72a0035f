"""The brokers and pools that need no server. Under a monkey patch the pool is its library's."""

import threading

import pytest

from fsdf_core.green.broker import cooperative_broker

from .pools import POOLS


def memory(folder):
    from fsdf_core.brokers.memory import MemoryBroker

    return MemoryBroker()


def sqlite(folder):
    from fsdf_brokers.sqlite import SQLiteBroker

    return SQLiteBroker(folder / "queue.sqlite")


def persistqueue(folder):
    from fsdf_brokers.persistqueue import PersistQueueBroker

    return PersistQueueBroker(folder / "persistqueue")


BROKERS = {make.__name__: make for make in (memory, sqlite, persistqueue)}


@pytest.fixture(params=["memory", "sqlite", "persistqueue"])
def embedded(request, tmp_path):
    broker = cooperative_broker(BROKERS[request.param](tmp_path))
    yield broker
    broker.close()


@pytest.fixture(params=["sqlite", "persistqueue"])
def reopened(request, tmp_path):
    """Return a function that opens the same files anew, as the next process does."""
    opened = []

    def reopen():
        if opened:
            opened[-1].close()
        opened.append(cooperative_broker(BROKERS[request.param](tmp_path)))
        return opened[-1]

    yield reopen
    opened[-1].close()


@pytest.fixture(params=POOLS)
def workers(request):
    with request.param(max_workers=4) as pool:
        yield pool


@pytest.fixture
def emptied():
    """Return a function that waits until a queue holds nothing."""

    def wait(queue, seconds=20):
        pause = threading.Event()
        for _ in range(seconds * 50):
            if not queue.size().total:
                return True
            pause.wait(0.02)
        return False

    return wait
