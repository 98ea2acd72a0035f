"""Whom SQLITE_QUEUE takes for dead."""

import time

import pytest

from fsdf_brokers.process_lock import Life
from fsdf_brokers.sqlite import SQLiteBroker, lease
from fsdf_core.broker import OutgoingMessage


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
