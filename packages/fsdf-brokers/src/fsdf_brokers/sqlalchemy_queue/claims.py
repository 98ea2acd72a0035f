"""What one consumer holds of a queue: taking messages, and the ways to let go of them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, literal, select, update

from fsdf_brokers.sqlalchemy_queue.batch_limit import BatchLimit
from fsdf_brokers.sqlalchemy_queue.tables import FREE, consumers, delayed, messages, now
from fsdf_core.broker import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from fsdf_brokers.sqlalchemy_queue.held import Held
    from fsdf_brokers.sqlalchemy_queue.lease import Lease
    from fsdf_brokers.sqlalchemy_queue.queue import SQLAlchemyQueue

_AT_ONCE = 1000
"""Most rows of one claim, and most arguments of one statement."""
_message = messages.c


class Claims:
    """Claims and settles under a lease.

    Args:
        queue: where messages come from.
        lease: who holds them.
    """

    def __init__(self, queue: SQLAlchemyQueue, lease: Lease) -> None:
        self._database = queue.broker.database
        self._number = queue.number
        self._lease = lease
        self._now = now(self._database.kind)
        self._limit = BatchLimit()
        self._tokens = count()
        self._entered = (lease.held, 0)

    def look(self) -> tuple[bool, float | None, Held | None]:
        """Return whether anything is ready, the seconds until the next delayed message is due, and a lost lease."""
        held = self._lease.held
        number = self._number
        ready = select(_message.id).where(_message.queue == number, _message.consumer == FREE).limit(1)
        due = select(func.min(delayed.c.due)).where(delayed.c.queue == number).scalar_subquery()
        question = select(ready.exists(), due - self._now, self._enrolled(held).exists())
        found, wait, enrolled = self._database.read(lambda connection: connection.execute(question).one())
        return bool(found), wait, None if enrolled else held

    def take(self, limit: int) -> list[Delivery]:
        """Claim the first messages, as many as are ready or `limit`, or fewer where they are big."""
        held = self._lease.held
        most = min(self._limit.of(limit), _AT_ONCE)
        rows = self._database.write(lambda connection: self._take(connection, held, most))
        if not rows:
            return []
        ids, counts, bodies = zip(*rows, strict=True)
        self._limit.saw(list(bodies))
        deliveries = [
            Delivery(bytes(body), token, times + 1)
            for body, token, times in zip(bodies, self._tokens, counts, strict=False)
        ]
        held.add([delivery.token for delivery in deliveries], ids)
        return deliveries

    def _take(self, connection: Connection, held: Held, limit: int) -> Sequence[Any]:
        # The lock on the consumer's row lasts as long as the claim: nobody buries it in between.
        if connection.execute(self._enrolled(held).with_for_update(read=True)).first() is None:
            return []
        rows = connection.execute(
            select(_message.id, _message.deliveries, _message.body)
            .where(_message.queue == self._number, _message.consumer == FREE)
            .order_by(_message.rank, _message.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        if rows:
            connection.execute(
                update(messages)
                .where(_message.id.in_([row[0] for row in rows]))
                .values(consumer=held.number, deliveries=_message.deliveries + 1)
            )
        return rows

    def promote(self) -> None:
        """Put what is due at the end of the queue."""
        chosen = (
            select(delayed.c.id)
            .where(delayed.c.queue == self._number, delayed.c.due <= self._now)
            .order_by(delayed.c.due)
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        )

        def work(connection: Connection) -> None:
            ids = connection.scalars(chosen).all()
            if ids:
                ripe = (
                    select(delayed.c.queue, literal(FREE), delayed.c.rank, literal(0), delayed.c.body)
                    .where(delayed.c.id.in_(ids))
                    .order_by(delayed.c.due)
                )
                connection.execute(insert(messages).from_select(_COLUMNS, ripe))
                connection.execute(delete(delayed).where(delayed.c.id.in_(ids)))

        self._database.write(work)

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Delete what is still held of the deliveries."""
        held = self._lease.held
        rows = held.rows(deliveries)

        def work(connection: Connection) -> None:
            for mine in _mine(rows, held):
                connection.execute(delete(messages).where(*mine))

        if rows:
            self._database.write(work)
            held.forget(deliveries)

    def put_back(self, deliveries: Sequence[Delivery], delay: float) -> None:
        """Move messages to the end of the queue, or to the delayed ones; their deliveries count anew."""
        held = self._lease.held
        rows = held.rows(deliveries)

        def work(connection: Connection) -> None:
            for mine in _mine(rows, held):
                ids = connection.scalars(select(_message.id).where(*mine).with_for_update()).all()
                self._move(connection, _message.id.in_(ids), delay)
                connection.execute(delete(messages).where(_message.id.in_(ids)))

        if rows:
            self._database.write(work)
            held.forget(deliveries)
            self._database.announce()

    def _move(self, connection: Connection, chosen: Any, delay: float) -> None:
        if delay > 0:
            later = select(_message.queue, self._now + delay, _message.rank, _message.body)
            copy = insert(delayed).from_select(
                ["queue", "due", "rank", "body"], later.where(chosen).order_by(_message.id)
            )
        else:
            again = select(_message.queue, literal(FREE), _message.rank, literal(0), _message.body)
            copy = insert(messages).from_select(_COLUMNS, again.where(chosen).order_by(_message.id))
        connection.execute(copy)

    def undo(self, deliveries: Sequence[Delivery]) -> None:
        """Let go of messages in their places, uncounted."""
        held = self._lease.held
        rows = held.rows(deliveries)
        if rows:
            self._database.write(lambda connection: _free(connection, rows, held))
            held.forget(deliveries)
            self._database.announce()

    def enter_anew(self) -> None:
        """Give back what a claim took whose answer was lost.

        The new entry's number locks out that claim if the server still has it to run.
        """
        held = self._lease.held
        entry = self._entry(held) + 1

        def work(connection: Connection) -> None:
            connection.execute(update(consumers).where(consumers.c.id == held.number).values(entry=entry))
            claimed = connection.scalars(
                select(_message.id).where(_message.queue == self._number, _message.consumer == held.number)
            ).all()
            _free(connection, sorted(set(claimed) - set(held.all())), held)

        self._database.write(work)
        self._entered = (held, entry)

    def _enrolled(self, held: Held) -> Any:
        return select(consumers.c.id).where(consumers.c.id == held.number, consumers.c.entry == self._entry(held))

    def _entry(self, held: Held) -> int:
        entered, entry = self._entered
        return entry if entered is held else 0


_COLUMNS = ["queue", "consumer", "rank", "deliveries", "body"]


def _mine(rows: list[int], held: Held) -> Iterator[tuple[Any, Any]]:
    """Yield conditions that choose those rows, some at a time, that are still the consumer's."""
    for start in range(0, len(rows), _AT_ONCE):
        yield _message.id.in_(rows[start : start + _AT_ONCE]), _message.consumer == held.number


def _free(connection: Connection, rows: list[int], held: Held) -> None:
    for mine in _mine(rows, held):
        connection.execute(update(messages).where(*mine).values(consumer=FREE, deliveries=_message.deliveries - 1))
