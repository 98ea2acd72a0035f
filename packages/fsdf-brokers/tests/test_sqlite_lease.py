"""Whom SQLITE_QUEUE takes for dead."""

import os
import time

import pytest

from fsdf_brokers.process_lock import Life
from fsdf_brokers.sqlite import SQLiteBroker, lease
from fsdf_core.broker import OutgoingMessage
from fsdf_core.waiting import wait_until


@pytest.mark.parametrize(
    ("life", "silent", "again"),
    [
        (Life.UNKNOWN, 20, []),
        (Life.UNKNOWN, 40, [b"{}"]),
        (Life.ALIVE, 40, []),
        (Life.ALIVE, 400, [b"{}"]),
        (Life.DEAD, 0, [b"{}"]),
    ],
)
def test_silence_means_more_where_no_lock_can_be_tested(tmp_path, monkeypatch, life, silent, again):
    broker = SQLiteBroker(tmp_path / "q.sqlite", heartbeat_timeout=3000, lease_limit=300)
    queue = broker.queue("q")
    queue.send([OutgoingMessage(b"{}")])
    silent_one = queue.subscribe("silent", 1)
    assert len(silent_one.receive(1, 1.0)) == 1
    with broker.database.transaction() as connection:
        connection.execute("UPDATE consumer SET heartbeat=?", (time.time() - silent,))
    monkeypatch.setattr(lease, "is_alive", lambda folder, name: life)
    heir = queue.subscribe("heir", 1)
    assert [delivery.body for delivery in heir.receive(1, 0.05)] == again
    heir.close()
    silent_one.close()
    broker.close()


@pytest.mark.skipif(os.name != "posix", reason="Windows deletes no open file")
@pytest.mark.parametrize("another", [False, True])
def test_a_deleted_file_is_told_of_once(tmp_path, caplog, another):
    broker = SQLiteBroker(tmp_path / "q.sqlite", heartbeat_timeout=0.06, lease_limit=300)
    consumer = broker.queue("q").subscribe("c", 1)
    other = SQLiteBroker(tmp_path / "other.sqlite")
    other.queue("q").send([OutgoingMessage(b"{}")])
    other.close()
    assert "deleted or replaced" not in caplog.text
    if another:
        (tmp_path / "other.sqlite").replace(tmp_path / "q.sqlite")
    else:
        (tmp_path / "q.sqlite").unlink()
    assert wait_until(lambda: "q.sqlite was deleted or replaced while c consumes from it" in caplog.text, 30, 0.02)
    assert not wait_until(lambda: caplog.text.count("deleted or replaced") > 1, 0.3, 0.05)
    consumer.close()
    broker.close()
