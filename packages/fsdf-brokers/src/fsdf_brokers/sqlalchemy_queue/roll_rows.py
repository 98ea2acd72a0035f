"""The consumers of a database: rows, and for each one a sign of life that its process cannot outlive."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, literal, null, select, update
from sqlalchemy.exc import SQLAlchemyError

from fsdf_brokers.process_lock import Life, LifeMark, is_alive
from fsdf_brokers.sqlalchemy_queue.roll import Other, Roll
from fsdf_brokers.sqlalchemy_queue.session_lock import lock_of
from fsdf_brokers.sqlalchemy_queue.tables import FREE, consumers, inserted, messages, now
from fsdf_core.errors import BrokerUnavailable, StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from fsdf_brokers.sqlalchemy_queue.queue import SQLAlchemyQueue

_LIVES = {Life.ALIVE: True, Life.DEAD: False, Life.UNKNOWN: None}


class RowsRoll(Roll):
    """What files and servers have in common.

    Args:
        queue: the consumer's queue.
    """

    def __init__(self, queue: SQLAlchemyQueue) -> None:
        self._queue = queue
        self._database = queue.broker.database
        self._now = now(self._database.kind)

    def _insert(self, name: str) -> int:
        values = {"queue": self._queue.number, "name": name.encode(), "entry": 0, "beat": self._now}

        def work(connection: Connection) -> int:
            return inserted(connection.execute(insert(consumers).values(values)))

        return self._database.write(work)

    def _beat(self, connection: Connection, number: int) -> bool:
        statement = update(consumers).where(consumers.c.id == number).values(beat=self._now)
        return bool(connection.execute(statement).rowcount)

    def _rows(self, connection: Connection, number: int, alive: Any) -> list[tuple[int, str, float, float, Any]]:
        row = consumers.c
        found = connection.execute(
            select(row.id, row.name, self._now - row.beat, row.beat, alive).where(row.id != number)
        )
        return [(each, bytes(name).decode(), silent, beat, lives) for each, name, silent, beat, lives in found]

    def leave(self, number: int) -> None:
        """Delete the row and free what it claimed."""
        self._database.write(lambda connection: self._forget(connection, number, None))
        self._database.announce()

    def _forget(self, connection: Connection, number: int, beat: float | None) -> int | None:
        """Delete the row, which waits for the end of a claim, then free what it claimed."""
        row = consumers.c
        found = connection.execute(select(row.queue, row.beat).where(row.id == number).with_for_update()).first()
        if found is None or (beat is not None and found[1] != beat):
            return None
        connection.execute(delete(consumers).where(row.id == number))
        return connection.execute(
            update(messages).where(messages.c.queue == found[0], messages.c.consumer == number).values(consumer=FREE)
        ).rowcount


class FileRoll(RowsRoll):
    """Consumers of a SQLite file: a locked file beside it is the sign of life."""

    grace = 0.0

    def __init__(self, queue: SQLAlchemyQueue, file: Path) -> None:
        super().__init__(queue)
        self._folder = file.parent / f"{file.name}.alive"
        self._mark: LifeMark | None = None

    def open(self) -> None:
        """Do nothing: files need no session."""

    def close(self) -> None:
        """Release the mark, unless the lease only starts anew."""

    def enrol(self, name: str) -> int:
        """Lock a file and insert a row."""
        if self._mark is None:
            try:
                self._mark = LifeMark(self._folder, name)
            except OSError as error:
                raise StorageError(f"cannot lock a file in {self._folder}: {error}. Set FSDF_HOME") from error
        return self._insert(name)

    def keep(self, number: int) -> bool:
        """Update the row."""
        if self._mark is not None:
            self._mark.beat()
        return self._database.write(lambda connection: self._beat(connection, number))

    def others(self, number: int) -> list[Other]:
        """Read the rows and try the files' locks."""
        rows = self._database.read(lambda connection: self._rows(connection, number, null()))
        return [Other(*row[:4], _LIVES[is_alive(self._folder, row[1])]) for row in rows]

    def bury(self, other: Other, *, alive: bool) -> int | None:  # noqa: ARG002 - a lock that is lost stays lost
        """Delete the row and free what it claimed."""
        count = self._database.write(lambda connection: self._forget(connection, other.number, other.beat))
        self._database.announce()
        return count

    def leave(self, number: int) -> None:
        """Also release the lock."""
        try:
            super().leave(number)
        finally:
            if self._mark is not None:
                self._mark.release()
                self._mark = None


class ServerRoll(RowsRoll):
    """Consumers at a server: a lock that the consumer's own session holds is the sign of life."""

    grace = 1.0

    def __init__(self, queue: SQLAlchemyQueue) -> None:
        super().__init__(queue)
        self._lock = lock_of(self._database.kind)
        self._connection: Connection | None = None
        self._locked = 0

    def open(self) -> None:
        """Connect."""
        self.close()
        self._connection = self._database.session()
        self._locked = 0

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def enrol(self, name: str) -> int:
        """Insert a row and take its lock."""
        number = self._insert(name)
        self._ask(lambda connection: self._hold(connection, number))
        return number

    def keep(self, number: int) -> bool:
        """Update the row; take the lock if this session has not."""

        def work(connection: Connection) -> bool:
            if self._locked != number:
                self._hold(connection, number)
            return self._beat(connection, number)

        return bool(self._ask(work))

    def others(self, number: int) -> list[Other]:
        """Read the rows and whose locks are held."""
        rows = self._ask(lambda connection: self._rows(connection, number, self._lock.is_held(consumers.c.id)))
        return [Other(number, name, silent, beat, bool(alive)) for number, name, silent, beat, alive in rows]

    def bury(self, other: Other, *, alive: bool) -> int | None:
        """Prove by its lock that the consumer is dead, then delete the row and free what it claimed."""

        def work(connection: Connection) -> int | None:
            if alive:
                return self._forget(connection, other.number, other.beat)
            if not connection.scalar(select(self._lock.prove(literal(other.number)))):
                return None
            try:
                return self._forget(connection, other.number, other.beat)
            finally:
                if self._lock.unprove is not None:
                    connection.execute(select(self._lock.unprove(literal(other.number))))

        count = self._database.write(work)
        self._database.announce()
        return count

    def _hold(self, connection: Connection, number: int) -> None:
        if connection.scalar(select(self._lock.hold(literal(number)))):
            self._locked = number

    def _ask(self, work: Any) -> Any:
        if self._connection is None:
            raise BrokerUnavailable(f"not connected to {self._database.trouble.shown}")
        try:
            return work(self._connection)
        except SQLAlchemyError as error:
            raise self._database.trouble.translated(error) from error
