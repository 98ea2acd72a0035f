"""PERSISTQUEUE in one process."""

import pickle
import sqlite3
import threading
import time

import pytest
from tests.servers.messages import bodies, send

from fsdf_brokers.persistqueue import PersistQueueBroker
from fsdf_brokers.persistqueue.broker import file_name
from fsdf_core.broker import OutgoingMessage, QueueSize
from fsdf_core.errors import StorageError, UnsupportedFeature
from fsdf_core.registry import brokers
from fsdf_core.settings import Settings


@pytest.fixture
def broker(tmp_path):
    broker = PersistQueueBroker(tmp_path / "home")
    yield broker
    broker.close()


@pytest.fixture
def queue(broker):
    return broker.queue("q")


def numbered(count):
    return [b"%d" % number for number in range(count)]


def test_installed_under_its_name(tmp_path):
    broker = brokers.get("PERSISTQUEUE").from_settings(Settings(home=tmp_path))
    assert broker.folder == tmp_path / "persistqueue"
    assert not broker.folder.exists()


def test_order_ack_and_size(queue):
    send(queue, *numbered(10))
    subscription = queue.subscribe("c", 10)
    first = subscription.receive(4, 1)
    assert bodies(first) == numbered(4)
    assert queue.size() == QueueSize(6, 0, 4)
    subscription.ack(first)
    assert queue.size() == QueueSize(6, 0, 0)
    subscription.close()


@pytest.mark.parametrize("body", [b"", b"\0", b"\xff", b"x" * 2**20, pickle.dumps(print)])
def test_bodies_are_bytes_as_they_were(queue, body):
    send(queue, body, body)
    subscription = queue.subscribe("c", 10)
    deliveries = subscription.receive(10, 1)
    assert bodies(deliveries) == [body, body]
    subscription.ack(deliveries[:1])
    assert queue.size() == QueueSize(0, 0, 1)
    subscription.close()


def test_requeue_release_close(queue):
    send(queue, *numbered(6))
    subscription = queue.subscribe("c", 10)
    taken = subscription.receive(4, 1)
    subscription.release(list(reversed(taken[:2])))
    subscription.requeue(taken[2:3])
    subscription.close()
    subscription.close()
    again = queue.subscribe("d", 10)
    deliveries = again.receive(10, 1)
    assert bodies(deliveries) == [b"0", b"1", b"3", b"4", b"5", b"2"]
    assert [delivery.delivery_count for delivery in deliveries] == [1, 1, 2, 1, 1, 1]
    subscription.ack(taken)  # too late
    assert queue.size().unacked == 6
    again.close()


def test_done_rows_are_deleted_and_their_room_is_used_again(queue, broker):
    subscription = queue.subscribe("c", 10)
    for _ in range(30):
        send(queue, *[b"x" * 10_000] * 100)
        subscription.ack(subscription.receive(100, 1))
    subscription.close()
    queue.close()
    file = broker.folder / "q.db"
    assert file.stat().st_size < 3 * 100 * 10_000
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT COUNT(*) FROM ack_queue_default").fetchone() == (0,)
        assert connection.execute("SELECT COUNT(*) FROM fsdf_claims").fetchone() == (0,)
    connection.close()


def test_purge_leaves_what_runs(queue):
    send(queue, *numbered(5))
    subscription = queue.subscribe("c", 10)
    taken = subscription.receive(2, 1)
    assert queue.purge() == 3
    assert queue.size() == QueueSize(0, 0, 2)
    subscription.ack(taken)
    subscription.close()


def test_push_wakes_and_interrupt_ends_the_wait(queue):
    subscription = queue.subscribe("c", 10)
    for action, expected in ((lambda: send(queue, b"x"), [b"x"]), (subscription.interrupt, [])):
        timer = threading.Timer(0.1, action)
        timer.start()
        started = time.monotonic()
        assert bodies(subscription.receive(1, 10)) == expected
        assert time.monotonic() - started < 2
        timer.join()
    subscription.close()


@pytest.mark.realtime
def test_idle_waiting_costs_next_to_nothing(queue):
    subscription = queue.subscribe("c", 10)
    before = time.process_time()
    assert subscription.receive(10, 2.0) == []
    assert time.process_time() - before < 0.1
    subscription.close()


def test_names_of_queues_never_meet():
    names = ["q", "Q", "a/b", "a\\b", "a`b", "..", "ü", "", "con", "x" * 200, "x" * 199 + "y", "a%2fb"]
    files = [file_name(name) for name in names]
    assert len({file.casefold() for file in files}) == len(names)
    assert all(len(file) < 160 and not set(file) & set("/\\:.`") for file in files)


def test_names_that_are_no_file_names_work(broker):
    for name in ("Q", "../x`y", "ü€"):
        send(broker.queue(name), name.encode())
        assert broker.queue(name).size().ready == 1
    assert not list(broker.folder.parent.glob("x*"))


def test_delay_is_refused(queue):
    with pytest.raises(UnsupportedFeature, match="SQLITE_QUEUE"):
        queue.send([OutgoingMessage(b"x", delay=1)])


def test_unusable_folder_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    queue = PersistQueueBroker(tmp_path / "file" / "home").queue("q")
    with pytest.raises(StorageError, match="FSDF_HOME"):
        send(queue, b"x")
    with pytest.raises(StorageError, match="FSDF_HOME"):
        queue.subscribe("c", 1)
