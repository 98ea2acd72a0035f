"""One consumer's hold on a queue in PostgreSQL."""

from __future__ import annotations

import logging
import select
import socket
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from fsdf_brokers.postgres import statements as sql
from fsdf_brokers.postgres.roll import PostgresRoll
from fsdf_brokers.postgres.server import one
from fsdf_brokers.sqlalchemy_queue.batch_limit import BatchLimit
from fsdf_brokers.sqlalchemy_queue.lease import Lease
from fsdf_core.broker import Delivery, Subscription
from fsdf_core.errors import FsdfError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.postgres.queue import PostgresQueue
    from fsdf_brokers.postgres.server import Connection
    from fsdf_brokers.sqlalchemy_queue.held import Held

_LOOK_FOR_DUE = 0.2
"""Seconds between two looks for delayed messages that are due, while the queue is busy."""
_LONGEST_WAIT = 5.0
"""Seconds after which a waiting consumer looks by itself, should a notification be lost."""
_DEAF_AFTER = 8
"""Claims without a wait after which notifications are switched off: a busy consumer needs none."""


class PostgresSubscription(Subscription):
    """Claims in one round trip; waits for the server's notifications. Owns one connection, its lease another one.

    Args:
        queue: where messages come from.
        consumer_id: unique.
    """

    def __init__(self, queue: PostgresQueue, consumer_id: str) -> None:
        self._queue = queue
        self._server = queue.broker.server
        self._name = f"fsdf {consumer_id}"
        self._tokens = count()
        self._heard = False
        self._limit = BatchLimit()
        self._next_look = 0.0
        self._listening = False
        self._in_a_row = 0
        self._interrupted = threading.Event()
        self._closed = False
        self._number = queue.number
        self._connection = self._connect()
        try:
            self._lease = Lease(
                PostgresRoll(queue, self._name),
                consumer_id,
                queue.name,
                queue.broker.heartbeat_timeout,
                queue.broker.lease_limit,
            )
        except BaseException:
            self._connection.close()
            raise
        self._entered = (self._lease.held, 0)
        self._bell, self._ring = socket.socketpair()
        self._bell.settimeout(0)
        self._ring.settimeout(0)

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim messages, waiting for the first one.

        Raises:
            BrokerUnavailable: the connection broke; `reconnect` mends it.
        """
        deadline = time.monotonic() + timeout
        with self._server.translated():
            self._hush()
            while not self._closed:
                if time.monotonic() >= self._next_look:
                    self._promote()
                self._heard = False
                if deliveries := self._claim(limit):
                    self._in_a_row += 1
                    return deliveries
                self._in_a_row = 0
                left = deadline - time.monotonic()
                if left <= 0 or self._interrupted.is_set():
                    break
                if self._listening:
                    self._wait(left)
                else:
                    # Listen first, then look again: what is sent in between is either seen or announced.
                    self._connection.execute(f"LISTEN {sql.channel(self._number)}")
                    self._listening = True
        self._interrupted.clear()
        return []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages that still are this consumer's."""
        held = self._lease.held
        if rows := held.rows(deliveries):
            with self._server.use() as connection:
                connection.execute(sql.ACK, (sql.array(rows), held.number))
            held.forget(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Give the messages new ids, and a time if there is a delay."""
        held = self._lease.held
        if rows := held.rows(deliveries):
            arguments = (sql.array(rows), held.number, float(delay), float(delay), sql.channel(self._number))
            with self._server.use() as connection:
                connection.execute(sql.REQUEUE, arguments)
            held.forget(deliveries)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Let go of the messages in their places, uncounted."""
        held = self._lease.held
        if rows := held.rows(deliveries):
            with self._server.use() as connection:
                connection.execute(sql.RELEASE, (sql.array(rows), held.number, sql.channel(self._number)))
            held.forget(deliveries)

    def interrupt(self) -> None:
        """End a waiting `receive`."""
        self._interrupted.set()
        self._wake()

    def reconnect(self) -> None:
        """Connect anew; give back what a claim took whose answer was lost.

        The new entry's number locks out claims of the old connection: the server may still have one to run.
        """
        self._connection.close()
        self._listening = False
        self._queue.forget()
        self._number = self._queue.number
        self._connection = self._connect()
        self._next_look = 0.0
        held, entry = self._lease.held, self._entry(self._lease.held) + 1
        self._entered = (held, entry)
        with self._server.translated(), self._connection.transaction():
            self._connection.execute(sql.ENTER, (entry, held.number))
            self._connection.execute(sql.RELEASE_UNKNOWN, (held.number, sql.array(held.all())))

    def close(self) -> None:
        """Give back everything; if the server is away, the end of the session does it."""
        if self._closed:
            return
        self._closed = True
        self._wake()
        try:
            self._lease.close()
        except FsdfError as error:
            logging.getLogger(f"fsdf.{self._queue.name}").warning(
                "could not say goodbye; what was not acknowledged comes back as the session ends: %s", error
            )
        finally:
            self._connection.close()
            self._bell.close()
            self._ring.close()

    def _connect(self) -> Connection:
        connection = self._server.connect(self._name)
        connection.add_notify_handler(self._hear)
        return connection

    def _hear(self, notification: object) -> None:  # noqa: ARG002 - which one does not matter
        self._heard = True

    def _entry(self, held: Held) -> int:
        """Return how often this consumer connected anew since it was enrolled."""
        entered, entry = self._entered
        return entry if entered is held else 0

    def _claim(self, limit: int) -> list[Delivery]:
        held = self._lease.held
        arguments = {
            "me": held.number,
            "entry": self._entry(held),
            "queue": self._number,
            "limit": self._limit.of(limit),
        }
        rows = self._connection.execute(sql.CLAIM, arguments, prepare=True, binary=True).fetchall()
        if not rows:
            return []
        rows.sort()
        _, ids, counts, bodies = zip(*rows, strict=True)
        self._limit.saw(list(bodies))
        deliveries = list(map(Delivery, bodies, self._tokens, counts))
        held.add([delivery.token for delivery in deliveries], ids)
        return deliveries

    def _promote(self) -> None:
        self._connection.execute(sql.PROMOTE, (self._number,), prepare=True)
        self._next_look = time.monotonic() + _LOOK_FOR_DUE

    def _wait(self, timeout: float) -> None:
        held = self._lease.held
        arguments = {"me": held.number, "entry": self._entry(held), "queue": self._number}
        enrolled, due = one(self._connection, sql.LOOK, arguments)
        if not enrolled:
            self._lease.renew(held, min(timeout, 1.0))
            return
        self._next_look = time.monotonic() + (_LONGEST_WAIT if due is None else max(0.0, due))
        pause = min(timeout, _LONGEST_WAIT, max(0.001, self._next_look - time.monotonic()))
        pgconn = self._connection.pgconn
        if not self._heard:  # else one has come with the answer to a statement
            _readable(self._connection.fileno(), self._bell.fileno(), pause)
            pgconn.consume_input()
        while pgconn.notifies() is not None:
            pass
        self._silence_bell()
        # Among what was announced may be a delayed message.
        self._next_look = min(self._next_look, time.monotonic() + _LOOK_FOR_DUE)

    def _hush(self) -> None:
        if self._listening and self._in_a_row >= _DEAF_AFTER:
            self._connection.execute("UNLISTEN *")
            self._listening = False

    def _wake(self) -> None:
        with suppress(OSError):  # it rings already, or the subscription is closed
            self._ring.send(b"!")

    def _silence_bell(self) -> None:
        with suppress(OSError):
            self._bell.recv(4096)


def _readable(one: int, other: int, timeout: float) -> None:
    """Wait until one of two sockets has something to say; by `poll` where numbers may be too high for `select`."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(one, select.POLLIN)
        poll.register(other, select.POLLIN)
        poll.poll(timeout * 1000)
    else:
        select.select([one, other], [], [], timeout)
