"""Queues in a SQLite file, in WAL mode.

A send returns once its transaction is committed (synchronous=NORMAL): it survives kill -9 of any process; a power
cut of the machine may lose the last moments before it, but never corrupts the file.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsdf_brokers.sqlite.database import Database
from fsdf_brokers.sqlite.restore import restore
from fsdf_brokers.sqlite.subscription import SQLiteSubscription
from fsdf_core.broker import Broker, Capabilities, Queue, QueueSize
from fsdf_core.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.sqlite.lease import Lease
    from fsdf_core.broker import Delivery, OutgoingMessage
    from fsdf_core.settings import Settings

_INSERT_READY = "INSERT INTO ready VALUES(?,?,?,0,?)"
_INSERT_DELAYED = "INSERT INTO delayed VALUES(?,?,?,?,?)"
_CLAIM_AT_ONCE = 2000
"""Most messages of one claim: a longer one keeps the file locked, and the workers waiting."""


class SQLiteBroker(Broker):
    """All queues of one file.

    Args:
        path: the file; it and its folder are created at first use.
        busy_timeout: seconds to wait for another process's lock before BrokerUnavailable; default 30.
        heartbeat_timeout: seconds, see `Settings`; default 5.
        lease_limit: seconds, see `Settings`; default 300.
    """

    capabilities = Capabilities(
        durable=True,
        acks=True,
        delivery_count=True,
        delay=True,
        priority=True,
        size=True,
        purge=True,
        cross_process=True,
        cross_machine=False,
        ordering="fifo",
        liveness="process",
    )
    # Ids are times: two processes may pick the same one, and the second tries again.
    retryable_errors = (sqlite3.IntegrityError, StorageError)

    def __init__(
        self,
        path: str | Path,
        *,
        busy_timeout: float = 30.0,
        heartbeat_timeout: float = 5.0,
        lease_limit: float = 300.0,
    ) -> None:
        self.database = Database(Path(path), busy_timeout)
        self.heartbeat_timeout = heartbeat_timeout
        self.lease_limit = lease_limit

    @classmethod
    def from_settings(cls, settings: Settings) -> SQLiteBroker:
        """Use `queue.sqlite` in the settings' home."""
        return cls(
            settings.home / "queue.sqlite",
            heartbeat_timeout=settings.heartbeat_timeout,
            lease_limit=settings.lease_limit,
        )

    def queue(self, name: str, **options: Any) -> SQLiteQueue:
        """Return the queue; it takes no options.

        Raises:
            ConfigurationError: an option was given.
        """
        if options:
            raise ConfigurationError(f"SQLITE_QUEUE takes no queue options, not {', '.join(options)}")
        return SQLiteQueue(self, name)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


class SQLiteQueue(Queue):
    """One queue of the file; opens nothing until it is used."""

    broker: SQLiteBroker

    def __init__(self, broker: SQLiteBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self._database = broker.database
        self._lock = threading.Lock()
        self._number: int | None = None
        self._last_id = 0

    @property
    def number(self) -> int:
        """The queue's number in the file."""
        if self._number is None:
            with self._database.transaction() as connection:
                connection.execute("INSERT OR IGNORE INTO queue(name) VALUES(?)", (self.name,))
                number: int = connection.execute("SELECT id FROM queue WHERE name=?", (self.name,)).fetchone()[0]
                newest = connection.execute("SELECT max(id) FROM ready WHERE queue=?", (number,)).fetchone()[0]
            with self._lock:
                self._last_id = max(self._last_id, newest or 0)
            self._number = number
        return self._number

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Commit the messages, all or none.

        Raises:
            BrokerUnavailable: the file stayed locked.
            StorageError: the disk is full, or the file not writable.
        """
        number = self.number
        if len(messages) == 1 and messages[0].delay <= 0:
            only = messages[0]
            while True:
                try:
                    self._database.execute(_INSERT_READY, (number, -only.priority, self.new_ids(1), only.body))
                    break
                except sqlite3.IntegrityError:
                    continue  # another process sent in the same microsecond
        else:
            self._send_batch(number, messages)
        self._database.announce()

    def _send_batch(self, number: int, messages: Sequence[OutgoingMessage]) -> None:
        now = time.time()
        while True:
            first = self.new_ids(len(messages))
            ready = []
            delayed = []
            for place, message in enumerate(messages, first):
                if message.delay > 0:
                    delayed.append((number, now + message.delay, place, -message.priority, message.body))
                else:
                    ready.append((number, -message.priority, place, message.body))
            try:
                with self._database.transaction() as connection:
                    connection.executemany(_INSERT_READY, ready)
                    connection.executemany(_INSERT_DELAYED, delayed)
            except sqlite3.IntegrityError:
                continue
            return

    def subscribe(self, consumer_id: str, prefetch: int) -> SQLiteSubscription:  # noqa: ARG002 - contract
        """Start consuming: mark the process as alive, take over from dead ones."""
        return SQLiteSubscription(self, consumer_id)

    def size(self) -> QueueSize:
        """Count the messages."""
        number = self.number
        (row,) = self._database.read(
            """SELECT (SELECT count(*) FROM ready WHERE queue=?1)
            + (SELECT count(*) FROM delayed WHERE queue=?1 AND due<=?2),
            (SELECT count(*) FROM delayed WHERE queue=?1 AND due>?2),
            (SELECT count(*) FROM claimed WHERE queue=?1)""",
            (number, time.time()),
        )
        return QueueSize(*row)

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        number = self.number
        with self._database.transaction() as connection:
            count = connection.execute("DELETE FROM ready WHERE queue=?", (number,)).rowcount
            count += connection.execute("DELETE FROM delayed WHERE queue=?", (number,)).rowcount
        return count

    def new_ids(self, count: int) -> int:
        """Reserve `count` ids that grow with time, also if the clock goes back; return the first."""
        with self._lock:
            first = max(time.time_ns() // 1000, self._last_id + 1)
            self._last_id = first + count - 1
            return first

    def due(self) -> tuple[bool, float | None]:
        """Return whether anything is ready, and when the next delayed message is due."""
        ((ready, due),) = self._database.read(
            """SELECT EXISTS(SELECT 1 FROM ready WHERE queue=?1), (SELECT min(due) FROM delayed WHERE queue=?1)""",
            (self.number,),
        )
        return bool(ready), due

    def claim(self, lease: Lease, after: int, limit: int) -> list[tuple[int, int, bytes]]:
        """Move the first messages to the consumer; return (seq, deliveries, body) of each, seq above `after`."""
        number = self.number
        consumer = lease.consumer
        with self._database.transaction() as connection:
            lease.enrol(connection)
            self._promote(connection)
            moved = connection.execute(
                """INSERT INTO claimed SELECT ?, ? + row_number() OVER (ORDER BY rank, id), queue, rank, id,
                deliveries + 1, body FROM (SELECT * FROM ready WHERE queue=? ORDER BY rank, id LIMIT ?)""",
                (consumer, after, number, min(limit, _CLAIM_AT_ONCE)),
            ).rowcount
            if not moved:
                return []
            last = connection.execute(
                "SELECT rank, id FROM claimed WHERE consumer=? AND seq=?", (consumer, after + moved)
            ).fetchone()
            connection.execute("DELETE FROM ready WHERE queue=? AND (rank, id) <= (?, ?)", (number, *last))
            return connection.execute(
                "SELECT seq, deliveries, body FROM claimed WHERE consumer=? AND seq>? ORDER BY seq",
                (consumer, after),
            ).fetchall()

    def _promote(self, connection: sqlite3.Connection) -> None:
        now = time.time()
        where = "FROM delayed WHERE queue=? AND due<=?"
        count = connection.execute(f"SELECT count(*) {where}", (self.number, now)).fetchone()[0]
        if count:
            connection.execute(
                f"""INSERT INTO ready SELECT queue, rank, ? + row_number() OVER (ORDER BY due, id), 0, body
                {where}""",
                (self.new_ids(count + 1), self.number, now),
            )
            connection.execute(f"DELETE {where}", (self.number, now))

    def settle(self, consumer: int, deliveries: Sequence[Delivery]) -> None:
        """Delete what the consumer still holds of the deliveries."""
        runs = _runs([delivery.token for delivery in deliveries])
        with self._database.transaction() as connection:
            if len(runs) * 4 <= len(deliveries) or len(deliveries) == 1:
                connection.executemany(
                    "DELETE FROM claimed WHERE consumer=? AND seq BETWEEN ? AND ?",
                    [(consumer, first, last) for first, last in runs],
                )
            else:
                _delete_claims(connection, consumer, _tokens(deliveries))

    def put_back(self, consumer: int, deliveries: Sequence[Delivery], delay: float) -> None:
        """Move claims to the end of the queue, or to `delayed`."""
        tokens = _tokens(deliveries)
        first = self.new_ids(len(deliveries) + 1)
        claims = "FROM claimed WHERE consumer=? AND seq IN (SELECT value FROM json_each(?))"
        with self._database.transaction() as connection:
            if delay > 0:
                connection.execute(
                    f"INSERT INTO delayed SELECT queue, ?, ? + row_number() OVER (ORDER BY seq), rank, body {claims}",
                    (time.time() + delay, first, consumer, tokens),
                )
            else:
                connection.execute(
                    f"INSERT INTO ready SELECT queue, rank, ? + row_number() OVER (ORDER BY seq), 0, body {claims}",
                    (first, consumer, tokens),
                )
            _delete_claims(connection, consumer, tokens)
        self._database.announce()

    def undo(self, consumer: int, deliveries: Sequence[Delivery]) -> None:
        """Move claims back to their old places, uncounted."""
        tokens = _tokens(deliveries)
        with self._database.transaction() as connection:
            restore(
                connection,
                self.new_ids(len(deliveries) + 1),
                "deliveries - 1, body FROM claimed WHERE consumer=? AND seq IN (SELECT value FROM json_each(?))",
                (consumer, tokens),
            )
            _delete_claims(connection, consumer, tokens)
        self._database.announce()


def _tokens(deliveries: Sequence[Delivery]) -> str:
    return json.dumps([delivery.token for delivery in deliveries])


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Join neighbouring numbers; quick tasks end nearly in the order they were claimed."""
    numbers.sort()
    runs = []
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            runs.append((first, last))
            first = number
        last = number
    runs.append((first, last))
    return runs


def _delete_claims(connection: sqlite3.Connection, consumer: int, tokens: str) -> None:
    # One statement for all: executemany would let go of the interpreter's lock at every row.
    connection.execute(
        "DELETE FROM claimed WHERE consumer=? AND seq IN (SELECT value FROM json_each(?))", (consumer, tokens)
    )
