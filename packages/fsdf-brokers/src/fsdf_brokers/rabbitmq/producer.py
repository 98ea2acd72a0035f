"""The connection of a broker's producers: what several threads send at once goes in one batch."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from fsdf_brokers.rabbitmq.link import Unroutable
from fsdf_brokers.rabbitmq.link_thread import LinkThread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_brokers.rabbitmq.link import Link, Publication
    from fsdf_brokers.rabbitmq.topology import Topology

T = TypeVar("T")


class Producer:
    """Publishes with confirms over one link, which it opens when it is needed. Thread-safe.

    Args:
        open_link: makes a link.
    """

    def __init__(self, open_link: Callable[[], Link]) -> None:
        self._open_link = open_link
        self._lock = threading.Lock()
        self._thread: LinkThread | None = None
        self._connection = object()
        self._pending: deque[tuple[Sequence[Publication], Future[None]]] = deque()

    def call(self, job: Callable[[Link], T]) -> T:
        """Do something with the link.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away.
            ConfigurationError: it refuses.
        """
        return self._living().call(job)

    def declare(self, topology: Topology) -> None:
        """Create what is missing, once a connection."""
        thread = self._living()
        connection = self._connection
        if topology.declared_on is not connection:
            thread.call(topology.declare)
            topology.declared_on = connection

    def publish(self, topology: Topology, batch: Sequence[Publication]) -> None:
        """Return once the server has taken responsibility for all messages.

        Raises:
            BrokerUnavailable: the server went away, or a queue did; some may have been accepted.
            StorageError: the server has an alarm; nothing was accepted.
            QueueFull: some were refused.
            ConfigurationError: the server refuses.
        """
        self.declare(topology)
        answer: Future[None] = Future()
        self._pending.append((batch, answer))
        try:
            self._living().call(self._flush)
            answer.result(0)
        except Unroutable:
            topology.declared_on = None
            raise

    def close(self) -> None:
        """Close the connection. Idempotent; the next use opens another."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()

    def _living(self) -> LinkThread:
        thread = self._thread
        if thread is None or not thread.alive:
            with self._lock:
                thread = self._thread
                if thread is None or not thread.alive:
                    self._connection = object()
                    self._pending.clear()
                    thread = self._thread = LinkThread(self._open_link, "fsdf-rabbitmq-producer")
        return thread

    def _flush(self, link: Link) -> None:
        """Publish what all waiting threads have brought; those that come second find their answer ready."""
        taken = [self._pending.popleft() for _ in range(len(self._pending))]
        if not taken:
            return
        try:
            link.publish([publication for batch, _ in taken for publication in batch])
        except Exception as error:
            for _, answer in taken:
                answer.set_exception(error)
            raise
        for _, answer in taken:
            answer.set_result(None)
