"""One queue of a SQLite file: sending, counting, purging."""

# ruff: noqa: S608 - tables are named by numbers of our own

from __future__ import annotations

import time
from collections import defaultdict
from time import time_ns
from typing import TYPE_CHECKING

from fsdf_brokers.sqlite.place import bounds, end_of_rank, next_place, rank_of
from fsdf_brokers.sqlite.schema import queue_statements
from fsdf_brokers.sqlite.subscription import SQLiteSubscription
from fsdf_core.broker import Body, Queue, QueueSize

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from fsdf_brokers.sqlite.broker import SQLiteBroker
    from fsdf_core.broker import OutgoingMessage

_ORDINARY = bounds(rank_of(0))
_INSERT_DELAYED = "INSERT INTO delayed(queue, due, rank, body) VALUES(?,?,?,?)"


class SQLiteQueue(Queue):
    """One queue of the file; opens nothing until it is used."""

    broker: SQLiteBroker

    def __init__(self, broker: SQLiteBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self._database = broker.database
        self._number: int | None = None
        self._append = ""

    @property
    def number(self) -> int:
        """The queue's number in the file, which its tables are named by."""
        if self._number is None:
            with self._database.transaction() as connection:
                number = _number(connection, self.name)
            self._append = f"INSERT INTO message_{number} VALUES({next_place(number)}, 0, ?3)"
            self._number = number
        return self._number

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Commit the messages, all or none.

        Raises:
            BrokerUnavailable: the file stayed locked.
            StorageError: the disk is full, or the file not writable.
        """
        number = self._number or self.number
        if len(messages) == 1 and messages[0].delay <= 0:
            only = messages[0]
            begin, end = _ORDINARY if not only.priority else bounds(rank_of(only.priority))
            self._database.execute(self._append, (begin + time_ns() // 1000, end, only.body))
        else:
            self._send_batch(number, messages)
        self._database.announce()

    def _send_batch(self, number: int, messages: Sequence[OutgoingMessage]) -> None:
        now = time.time()
        ready: defaultdict[int, list[Body]] = defaultdict(list)
        delayed = []
        for message in messages:
            rank = rank_of(message.priority)
            if message.delay > 0:
                delayed.append((number, now + message.delay, rank, message.body))
            else:
                ready[rank].append(message.body)
        with self._database.transaction() as connection:
            for rank, bodies in ready.items():
                places = enumerate(bodies, end_of_rank(connection, number, rank))
                connection.executemany(f"INSERT INTO message_{number} VALUES(?, 0, ?)", places)
            if delayed:
                connection.executemany(_INSERT_DELAYED, delayed)

    def subscribe(self, consumer_id: str, prefetch: int) -> SQLiteSubscription:  # noqa: ARG002 - contract
        """Start consuming: mark the process as alive, take over from dead ones."""
        return SQLiteSubscription(self, consumer_id)

    def size(self) -> QueueSize:
        """Count the messages."""
        number = self.number
        ((every, due, delayed, claimed),) = self._database.read(
            f"""SELECT (SELECT count(*) FROM message_{number}),
            (SELECT count(*) FROM delayed WHERE queue=?1 AND due<=?2),
            (SELECT count(*) FROM delayed WHERE queue=?1 AND due>?2),
            (SELECT count(*) FROM claim_{number} CROSS JOIN message_{number} ON id BETWEEN first AND last)""",
            (number, time.time()),
        )
        return QueueSize(every - claimed + due, delayed, claimed)

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        number = self.number
        with self._database.transaction() as connection:
            count = connection.execute(
                f"""DELETE FROM message_{number} WHERE ifnull(
                (SELECT first FROM claim_{number} WHERE last>=id ORDER BY last LIMIT 1) > id, TRUE)"""
            ).rowcount
            count += connection.execute("DELETE FROM delayed WHERE queue=?", (number,)).rowcount
        return count


def _number(connection: sqlite3.Connection, name: str) -> int:
    """Find the queue, or create it and its tables, within a transaction."""
    find = "SELECT id FROM queue WHERE name=?"
    row = connection.execute(find, (name,)).fetchone()
    if row is None:
        connection.execute("INSERT INTO queue(name) VALUES(?)", (name,))
        row = connection.execute(find, (name,)).fetchone()
        for statement in queue_statements(row[0]):
            connection.execute(statement)
    number: int = row[0]
    return number
