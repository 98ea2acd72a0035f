"""What is special to SQLITE_QUEUE; the conformance suite tests the rest."""

import contextlib
import ctypes
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fsdf_brokers.sqlite import SQLiteBroker
from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, StorageError

HERE = Path(__file__).parent


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "queue.sqlite"


@pytest.fixture
def broker(path):
    broker = SQLiteBroker(path, heartbeat_timeout=0.3)
    yield broker
    broker.close()


def message(body=b"{}", **options):
    return OutgoingMessage(body, **options)


def holder(path):
    process = subprocess.Popen(
        [sys.executable, str(HERE / "sqlite_holder.py"), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def let_go(process):
    process.communicate(timeout=10)


def test_opening_writes_nothing(broker, path):
    broker.queue("q")
    assert not path.parent.exists()


def test_folder_is_private(broker, path):
    broker.queue("q").send([message()])
    if os.name == "posix":
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_options_are_refused(broker):
    with pytest.raises(ConfigurationError, match="maxsize"):
        broker.queue("q", maxsize=3)


def test_messages_outlive_the_broker(broker, path):
    broker.queue("q").send([message(b"1"), message(b"2", priority=5)])
    broker.close()
    again = SQLiteBroker(path)
    subscription = again.queue("q").subscribe("c", 10)
    assert [delivery.body for delivery in subscription.receive(10, 1)] == [b"2", b"1"]
    subscription.close()
    again.close()


def test_waits_for_another_process_that_holds_the_file(broker, path):
    queue = broker.queue("q")
    queue.send([message()])
    process = holder(path)
    timer = threading.Timer(0.5, let_go, (process,))
    timer.start()
    queue.send([message()])
    timer.join()
    assert queue.size().ready == 2


def test_gives_up_on_a_file_that_stays_locked(path):
    broker = SQLiteBroker(path, busy_timeout=0.2)
    queue = broker.queue("q")
    queue.send([message()])
    process = holder(path)
    with pytest.raises(BrokerUnavailable, match="locked"):
        queue.send([message()])
    let_go(process)
    queue.send([message()])
    assert queue.size().ready == 2
    broker.close()


def test_an_interrupted_wait_for_the_file_leaves_no_transaction_open(broker, path):
    queue = broker.queue("q")
    queue.send([message()])
    process = holder(path)

    def send():
        with contextlib.suppress(KeyboardInterrupt):
            queue.send([message(), message()])

    sender = threading.Thread(target=send)
    sender.start()
    sender.join(0.2)
    # Raised when the statement that waits for the lock has come back with it, as a Ctrl-C is.
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(sender.ident), ctypes.py_object(KeyboardInterrupt))
    let_go(process)
    sender.join(10)
    assert queue.size().ready == 1
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")


def test_full_disk_is_one_clear_error_and_loses_nothing(broker, path):
    queue = broker.queue("q")
    queue.send([message(b"kept")])
    broker.database.read("PRAGMA page_count")
    with broker.database.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    broker.database._writer.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageError, match="FSDF_HOME"):
        queue.send([message(b"x" * 100_000)])
    assert path.with_name("queue.sqlite-wal").stat().st_size == 0, "the log keeps room that is needed"
    broker.database._writer.execute("PRAGMA max_page_count=1000000")
    queue.send([message(b"y" * 100_000)])
    subscription = queue.subscribe("c", 10)
    assert [delivery.body[:4] for delivery in subscription.receive(10, 1)] == [b"kept", b"yyyy"]
    subscription.close()


def test_a_home_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("no folder")
    queue = SQLiteBroker(tmp_path / "file" / "queue.sqlite").queue("q")
    with pytest.raises(StorageError, match="FSDF_HOME"):
        queue.send([message()])


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path):
    path = tmp_path / "queue.sqlite"
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(StorageError, match="not a database"):
        SQLiteBroker(path).queue("q").send([message()])
    assert path.read_bytes() == b"garbage" * 1000


def test_a_push_that_returned_survives_kill(path):
    broker = SQLiteBroker(path)
    process = subprocess.Popen([sys.executable, str(HERE / "sqlite_pusher.py"), str(path)], stdout=subprocess.PIPE)
    told = [process.stdout.readline() for _ in range(500)]
    process.kill()
    told += process.stdout.read().splitlines(keepends=True)
    process.wait(10)
    process.stdout.close()
    numbers = {line.strip() for line in told if line.endswith(b"\n")}
    subscription = broker.queue("q").subscribe("c", 10)
    found = set()
    while batch := subscription.receive(5000, 0.1):
        found |= {delivery.body for delivery in batch}
    assert numbers <= found
    subscription.close()
    broker.close()


def test_a_lost_lease_makes_late_acks_harmless(path):
    slow = SQLiteBroker(path, lease_limit=1000)
    queue = slow.queue("q")
    queue.send([message(b"1")])
    first = queue.subscribe("first", 10)
    (held,) = first.receive(1, 1)
    with slow.database.transaction() as connection:
        connection.execute("UPDATE consumer SET heartbeat=0")
    thief = SQLiteBroker(path, lease_limit=100)
    second = thief.queue("q").subscribe("second", 10)
    (taken,) = second.receive(1, 1)
    assert taken.delivery_count == 2
    first.ack([held])
    assert queue.size().unacked == 1
    second.ack([taken])
    assert queue.size().total == 0
    for closing in (first, second, slow, thief):
        closing.close()


def test_many_processes_may_create_the_file_at_once(path):
    script = (
        "import sys, pathlib; from fsdf_brokers.sqlite import SQLiteBroker;"
        "from fsdf_core.broker import OutgoingMessage;"
        "SQLiteBroker(pathlib.Path(sys.argv[1])).queue('q').send([OutgoingMessage(b'1')])"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script, str(path)]) for _ in range(6)]
    assert [process.wait(30) for process in processes] == [0] * 6
    broker = SQLiteBroker(path)
    assert broker.queue("q").size().ready == 6
    broker.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_forked_child_uses_connections_of_its_own(broker):
    queue = broker.queue("q")
    queue.send([message()])
    child = os.fork()
    if not child:
        queue.send([message()])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    queue.send([message()])
    assert queue.size().ready == 3


def test_a_claim_after_a_lost_lease_has_an_owner(broker, path):
    queue = broker.queue("q")
    queue.send([message()])
    subscription = queue.subscribe("first", 10)
    with broker.database.transaction() as connection:
        connection.execute("DELETE FROM consumer")
    assert len(subscription.receive(1, 1)) == 1
    assert broker.database.read("SELECT name FROM consumer") == [("first",)]
    subscription.close()
    assert queue.size() == (1, 0, 0)
