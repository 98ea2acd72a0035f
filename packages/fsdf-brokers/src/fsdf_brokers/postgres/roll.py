"""The consumers of a PostgreSQL database: rows, and an advisory lock that each one's session holds."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from fsdf_brokers.postgres import statements as sql
from fsdf_brokers.postgres.server import one
from fsdf_brokers.sqlalchemy_queue.roll import Other, Roll
from fsdf_core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from fsdf_brokers.postgres.queue import PostgresQueue
    from fsdf_brokers.postgres.server import Connection


class PostgresRoll(Roll):
    """The session of one consumer.

    Args:
        queue: the consumer's queue.
        name: the session's name in pg_stat_activity.
    """

    grace = 1.0

    def __init__(self, queue: PostgresQueue, name: str) -> None:
        self._queue = queue
        self._name = name
        self._server = queue.broker.server
        self._connection: Connection | None = None
        self._locked = 0

    @property
    def _session(self) -> Connection:
        if self._connection is None:
            raise BrokerUnavailable(f"not connected to PostgreSQL at {self._server.shown}")
        return self._connection

    def open(self) -> None:
        """Connect."""
        self.close()
        self._connection = self._server.connect(self._name)
        self._locked = 0
        with self._server.translated():
            # Where the server allows it: a client whose host lost power is noticed within half a minute.
            self._connection.execute(
                "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
            )

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def enrol(self, name: str) -> int:
        """Insert a row and take its lock."""
        with self._server.translated():
            number: int
            (number,) = one(self._session, sql.ENROL, (self._queue.number, name))
            self._hold(number)
        return number

    def keep(self, number: int) -> bool:
        """Update the row; take the lock if this session has not."""
        with self._server.translated():
            if self._locked != number:
                self._hold(number)
            return bool(self._session.execute(sql.BEAT, (number,)).rowcount)

    def others(self, number: int) -> list[Other]:
        """Read the rows and whose locks are held."""
        with self._server.translated():
            return [Other(*row) for row in self._session.execute(sql.OTHERS, (number,)).fetchall()]

    def bury(self, other: Other, *, alive: bool) -> int | None:
        """Delete the row, which waits for the end of a claim, then free what it claimed."""
        session = self._session
        with self._server.translated(), session.transaction():
            if not alive:
                (proven,) = one(session, sql.PROVE_DEAD, (other.number,))
                if not proven:
                    return None
            found = session.execute(sql.FORGET, (other.number, other.beat)).fetchone()
            return None if found is None else self._give_back(other.number, found[0])

    def leave(self, number: int) -> None:
        """Delete the row and free what it claimed."""
        session = self._session
        with self._server.translated(), session.transaction():
            found = session.execute(sql.FORGET_ME, (number,)).fetchone()
            if found is not None:
                self._give_back(number, found[0])

    def _hold(self, number: int) -> None:
        (held,) = one(self._session, sql.HOLD, (number,))
        if held:
            self._locked = number

    def _give_back(self, number: int, queue: int) -> int:
        count = self._session.execute(sql.GIVE_BACK, (number,)).rowcount
        if count:
            self._session.execute(sql.NOTIFY, (sql.channel(queue),))
        return count
