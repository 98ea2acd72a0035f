"""One queue in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from fsdf_brokers.sqlalchemy_queue.subscription import SQLAlchemySubscription
from fsdf_brokers.sqlalchemy_queue.tables import FREE, delayed, inserted, messages, now, queues
from fsdf_core.broker import Queue, QueueSize
from fsdf_core.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from fsdf_brokers.sqlalchemy_queue.broker import SQLAlchemyBroker
    from fsdf_core.broker import OutgoingMessage

_HIGHEST_PRIORITY = 255


class SQLAlchemyQueue(Queue):
    """Rows of the table `fsdf_sql_message`; opens nothing until it is used."""

    broker: SQLAlchemyBroker

    def __init__(self, broker: SQLAlchemyBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self._database = broker.database
        self._number: int | None = None
        self._now = now(self._database.kind)

    @property
    def number(self) -> int:
        """The queue's number; creates the queue if need be.

        Raises:
            FsdfError: as `send`.
        """
        number = self._number
        if number is None:
            try:
                number = self._database.write(self._find)
            except BrokerError as error:
                # Somebody else created it at the same time.
                if not isinstance(error.__cause__, IntegrityError):
                    raise
                number = self._database.write(self._find)
            self._number = number
        return number

    def forget(self) -> None:
        """Look for the queue anew at its next use: the database may have been made anew."""
        self._number = None

    def send(self, messages_: Sequence[OutgoingMessage]) -> None:
        """Commit the messages, all or none.

        Raises:
            BrokerUnavailable: the database cannot be reached, or went away; then they may have been accepted.
            StorageError: its disk is full or read-only.
            ConfigurationError: it does not let us in, or is too old.
            BrokerError: it refuses.
        """
        number = self.number
        ready, later = [], []
        for message in messages_:
            rank = _HIGHEST_PRIORITY - min(max(message.priority, 0), _HIGHEST_PRIORITY)
            row = {"queue": number, "rank": rank, "body": message.body}
            if message.delay > 0:
                later.append(row | {"delay": message.delay})
            else:
                ready.append(row | {"consumer": FREE, "deliveries": 0})

        def work(connection: Connection) -> None:
            if ready:
                connection.execute(insert(messages), ready)
            if later:
                due = self._now + bindparam("delay")
                connection.execute(insert(delayed).values(due=due), later)

        self._database.write(work)
        self._database.announce()

    def subscribe(self, consumer_id: str, prefetch: int) -> SQLAlchemySubscription:  # noqa: ARG002 - contract
        """Start consuming.

        Raises:
            FsdfError: as `send`.
        """
        return SQLAlchemySubscription(self, consumer_id)

    def size(self) -> QueueSize:
        """Count the messages."""
        number, free = self.number, messages.c.consumer == FREE
        count = select(func.count()).where(messages.c.queue == number)
        wait = select(func.count()).where(delayed.c.queue == number)
        questions = (count.where(free), count.where(~free), wait.where(delayed.c.due <= self._now), wait)
        numbers = select(*(question.scalar_subquery() for question in questions))
        ready, unacked, due, every = self._database.read(lambda connection: connection.execute(numbers).one())
        return QueueSize(ready + due, every - due, unacked)

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        number = self.number

        def work(connection: Connection) -> int:
            ready = delete(messages).where(messages.c.queue == number, messages.c.consumer == FREE)
            count = connection.execute(ready).rowcount
            return count + connection.execute(delete(delayed).where(delayed.c.queue == number)).rowcount

        return self._database.write(work)

    def _find(self, connection: Connection) -> int:
        name = self.name.encode()
        number = connection.scalar(select(queues.c.id).where(queues.c.name == name))
        if number is None:
            return inserted(connection.execute(insert(queues).values(name=name)))
        return int(number)
