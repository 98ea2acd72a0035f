"""Who holds claimed messages, and taking them from the dead.

A consumer is dead when the kernel has released its process's lock file (see `process_lock`), or when it has not
written its heartbeat for the lease's hard limit.
"""

# ruff: noqa: S608 - tables are named by numbers of our own

from __future__ import annotations

import logging
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from fsdf_brokers.process_lock import BLIND_LIMIT, Life, LifeMark, is_alive
from fsdf_brokers.sqlite.held import Held
from fsdf_core.errors import BrokerError, StorageError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from fsdf_brokers.sqlite.queue import SQLiteQueue

_logger = logging.getLogger("fsdf.sqlite")
_LOOK_FOR_DEAD = 1.0
"""Seconds between two looks at whether other consumers live."""


class Lease:
    """A row in the file, a locked file beside it, and the thread `fsdf-lease-<queue>` that keeps both fresh.

    Args:
        queue: the consumer's queue.
        name: the consumer's id.

    Raises:
        BrokerError: the file or its folder cannot be written.
    """

    def __init__(self, queue: SQLiteQueue, name: str) -> None:
        self._queue = queue
        self.name = name
        self._process = os.getpid()
        self._database = queue.broker.database
        self._alive = self._database.path.parent / "alive"
        self._number = queue.number
        try:
            self._mark = LifeMark(self._alive, name)
        except OSError as error:
            raise StorageError(f"cannot lock a file in {self._alive}: {error}. Set FSDF_HOME") from error
        try:
            with self._database.transaction() as connection:
                self.enrol(connection)
            self._take_from_dead()
        except BaseException:
            self._mark.release()
            raise
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fsdf-lease-{queue.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give back every claim, in its place and as often delivered as it was; end the thread."""
        if os.getpid() != self._process:
            return  # a forked child holds nothing of its parent's
        self._ended.set()
        self._thread.join(_LOOK_FOR_DEAD * 10)
        try:
            with self._database.transaction() as connection:
                _give_back(connection, self._number, self.held.consumer)
        finally:
            self._mark.release()
        self._database.announce()

    def _run(self) -> None:
        every = min(self._queue.broker.heartbeat_timeout, self._queue.broker.lease_limit) / 3
        beat = time.monotonic()
        told = False
        while not self._ended.wait(min(every, _LOOK_FOR_DEAD)):
            try:
                if time.monotonic() - beat >= every:
                    beat = time.monotonic()
                    self._write_heartbeat()
                self._take_from_dead()
            except (BrokerError, sqlite3.Error) as error:
                _logger.warning("the lease of %s is not renewed, trying on: %s", self.name, error)
            if not told and self._database.replaced():
                told = True
                _logger.error(
                    "%s was deleted or replaced while %s consumes from it: other processes no longer reach this one. "
                    "Start it anew; clear() empties a queue", self._database.path, self.name,
                )  # fmt: skip

    def enrol(self, connection: sqlite3.Connection) -> None:
        """Take a lease, also anew after it was lost, within a claim's transaction: claims must have a living owner.

        If the transaction fails, the number may become another consumer's: it counts together with the name only.
        """
        row = connection.execute(
            "INSERT INTO consumer(name, queue, heartbeat) VALUES(?,?,?)", (self.name, self._number, time.time())
        )
        self.held = Held(row.lastrowid or 0)

    def _write_heartbeat(self) -> None:
        self._database.execute(
            "UPDATE consumer SET heartbeat=? WHERE id=? AND name=?", (time.time(), self.held.consumer, self.name)
        )

    def _take_from_dead(self) -> None:
        others = self._database.read(
            "SELECT id, name, heartbeat, queue FROM consumer WHERE id!=?", (self.held.consumer,)
        )
        dead = [row for row in others if self._is_dead(row[1], time.time() - row[2])]
        for consumer, name, heartbeat, queue in dead:
            with self._database.transaction() as connection:
                count = 0
                if _still_dead(connection, consumer, heartbeat):
                    count = _give_back(connection, queue, consumer)
            if count:
                _logger.warning("consumer %s is dead: %d message(s) given back to their queue", name, count)
        if dead:
            self._database.announce()

    def _is_dead(self, name: str, silent: float) -> bool:
        """Whether a consumer that has written no heartbeat for `silent` seconds is dead."""
        life = is_alive(self._alive, name)
        limit = self._queue.broker.lease_limit
        return life is Life.DEAD or silent > (min(limit, BLIND_LIMIT) if life is Life.UNKNOWN else limit)


def _still_dead(connection: sqlite3.Connection, consumer: int, heartbeat: float) -> bool:
    """Whether the consumer has neither been buried by somebody else nor come back since it was looked at."""
    row = connection.execute("SELECT heartbeat FROM consumer WHERE id=?", (consumer,)).fetchone()
    return row is not None and row[0] == heartbeat


def _give_back(connection: sqlite3.Connection, queue: int, consumer: int) -> int:
    """End a consumer's claims, count them, and forget it; its messages never left their places."""
    claims = f"FROM claim_{queue} WHERE consumer=?"
    count = 0
    for bounds in connection.execute(f"SELECT first, last {claims}", (consumer,)).fetchall():
        count += connection.execute(
            f"UPDATE message_{queue} SET deliveries=deliveries+1 WHERE id BETWEEN ? AND ?", bounds
        ).rowcount
    connection.execute(f"DELETE {claims}", (consumer,))
    connection.execute("DELETE FROM consumer WHERE id=?", (consumer,))
    return count
