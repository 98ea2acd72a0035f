"""One queue in PostgreSQL, also within the user's own transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import tuple_row

from fsdf_brokers.postgres import statements as sql
from fsdf_brokers.postgres.server import one
from fsdf_brokers.postgres.subscription import PostgresSubscription
from fsdf_core.broker import Queue, QueueSize
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.postgres.broker import PostgresBroker
    from fsdf_core.broker import OutgoingMessage

_HIGHEST_PRIORITY = 255


class PostgresQueue(Queue):
    """Rows of the table `fsdf_message`; opens nothing until it is used."""

    broker: PostgresBroker

    def __init__(self, broker: PostgresBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self._server = broker.server
        self._number: int | None = None

    @property
    def number(self) -> int:
        """The queue's number; creates the tables and the queue if need be.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it does not let us in, or create tables.
        """
        number = self._number
        if number is None:
            with self._server.use() as connection:
                number = self._number = _number(connection, self.name)
        return number

    def forget(self) -> None:
        """Look for the queue anew at its next use: the database may have been made anew."""
        self._number = None

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Commit the messages, all or none, in one round trip.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away; then they may have been accepted.
            StorageError: its disk is full.
            ConfigurationError: it does not let us in.
        """
        if messages:
            arguments = self._arguments(messages)
            with self._server.use() as connection:
                try:
                    connection.execute(sql.SEND, arguments)
                except psycopg.errors.UndefinedTable:
                    number = self._number = _number(connection, self.name)
                    connection.execute(sql.SEND, (number, *arguments[1:-1], sql.channel(number)))

    def send_in(self, connection: psycopg.Connection[Any], messages: Sequence[OutgoingMessage]) -> None:
        """Send within the user's own transaction: the messages exist if, and only if, it is committed.

        Args:
            connection: a psycopg connection to the queue's database; of a SQLAlchemy session it is
                `session.connection().connection.driver_connection`, of Django `connection.connection`.
            messages: what to send.

        Raises:
            ConfigurationError: the connection is none of psycopg 3, or leads to another database or schema.
            psycopg.Error: the transaction has failed.
        """
        if not isinstance(connection, psycopg.Connection):
            raise ConfigurationError(
                f"send_in() needs a psycopg 3 connection, not {type(connection).__name__}: "
                "of a SQLAlchemy session, session.connection().connection.driver_connection"
            )
        if not messages:
            return
        arguments = self._arguments(messages)
        # Tuples, whatever rows the user's connection makes.
        with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
            try:
                found = cursor.execute(sql.FIND_QUEUE, (self.name,)).fetchone()
            except psycopg.errors.UndefinedTable:
                found = None
            if found is None or found[0] != self.number:
                raise ConfigurationError(
                    f"the connection given does not see the queue {self.name!r} of {self._server.shown}: "
                    "use one to the same database and schema"
                )
            cursor.execute(sql.SEND, arguments)

    def within(self, connection: psycopg.Connection[Any]) -> Queue:
        """Return this queue as a publisher sees it within the user's transaction.

        Example:
            with psycopg.connect(url) as connection:
                connection.execute("INSERT INTO orders VALUES (1)")
                Publisher(queue.within(connection)).publish({"order": 1})
        """
        return _QueueWithin(self, connection)

    def subscribe(self, consumer_id: str, prefetch: int) -> PostgresSubscription:  # noqa: ARG002 - contract
        """Start consuming: two connections.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it does not let us in.
        """
        return PostgresSubscription(self, consumer_id)

    def size(self) -> QueueSize:
        """Count the messages."""
        number = self.number
        with self._server.use() as connection:
            ready, due, delayed, unacked = one(connection, sql.SIZE, {"queue": number})
        return QueueSize(ready + due, delayed, unacked)

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        number = self.number
        with self._server.use() as connection:
            return connection.execute(sql.PURGE, (number,)).rowcount

    def _arguments(self, messages: Sequence[OutgoingMessage]) -> tuple[Any, ...]:
        ranks = [_HIGHEST_PRIORITY - min(max(each.priority, 0), _HIGHEST_PRIORITY) for each in messages]
        delays = [each.delay for each in messages]
        number = self.number
        bodies = [each.body for each in messages]
        return (number, sql.array(ranks), sql.array(delays), bodies, sql.channel(number))


class _QueueWithin(Queue):
    """A queue whose messages are sent in a transaction of the user's."""

    def __init__(self, queue: PostgresQueue, connection: psycopg.Connection[Any]) -> None:
        self.broker = queue.broker
        self.name = queue.name
        self._connection = connection
        self._queue = queue

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        self._queue.send_in(self._connection, messages)

    def subscribe(self, consumer_id: str, prefetch: int) -> PostgresSubscription:
        return self._queue.subscribe(consumer_id, prefetch)

    def size(self) -> QueueSize:
        return self._queue.size()

    def purge(self) -> int:
        return self._queue.purge()


def _number(connection: psycopg.Connection[Any], name: str) -> int:
    """Find the queue, or create it and its tables; a user without the right to create can use what is there."""
    tables = connection.execute(sql.FIND_TABLES).fetchone()
    if tables is None or None in tables:
        connection.execute(sql.CREATE)
    if not (found := connection.execute(sql.FIND_QUEUE, (name,)).fetchall()):
        connection.execute(sql.ADD_QUEUE, (name,))
        found = connection.execute(sql.FIND_QUEUE, (name,)).fetchall()
    number: int = found[0][0]
    return number
