"""A Kafka cluster as the adapter sees it: its clients, and its errors in fsdf's words."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import TimeoutError as Unfinished
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from fsdf_brokers.kafka.address import shown
from fsdf_brokers.kafka.faults import REFUSED, timed_out, translate
from fsdf_brokers.kafka.producer import KafkaProducer
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from confluent_kafka import KafkaError

    from fsdf_core.errors import FsdfError

T = TypeVar("T")

ANSWER_TIMEOUT = 5.0
_LOOK = 0.05

_inherited: list[Any] = []
"""Clients of a parent process: their threads are not here, so that not even their destructors may run."""


class DebugLog:
    """Takes the client library's own log lines; what matters is raised or logged by the adapter."""

    @staticmethod
    def log(level: int, text: str, *arguments: object) -> None:  # noqa: ARG004 - the library's own level
        """Write a line of librdkafka."""
        logging.getLogger("fsdf.kafka").debug(text, *arguments)


class KafkaAt:
    """The cluster at an address; connects when first used. Thread-safe; a forked child gets clients of its own.

    Args:
        properties: of librdkafka, among them `bootstrap.servers`; passwords in it are never printed.
    """

    def __init__(self, properties: dict[str, str]) -> None:
        self.shown = shown(properties)
        self._properties = properties
        self._lock = threading.Lock()
        self._clients: tuple[int, AdminClient, KafkaProducer] | None = None
        self._refusal: KafkaError | None = None

    @property
    def producer(self) -> KafkaProducer:
        """The producer that threads share."""
        return self._open()[2]

    def properties(self, own: dict[str, Any]) -> dict[str, Any]:
        """Return the properties of a client, its own and those of all; the user's win."""
        return {
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1000,
            "socket.connection.setup.timeout.ms": 5000,
            "log.connection.close": False,
            "client.id": "fsdf",
            "logger": DebugLog,
            **own,
            **self._properties,
        }

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the library's AdminClient; return its future, or its dictionary of futures.

        Raises:
            ConfigurationError: an argument is not valid for the library.
        """
        with self.translated():
            return getattr(self._open()[1], method)(*arguments, request_timeout=ANSWER_TIMEOUT, **options)

    def answer(self, future: Future[T]) -> T:
        """Wait for an answer of the AdminClient.

        Raises:
            BrokerUnavailable: there is none.
            ConfigurationError: the server refuses who we are.
        """
        with self.translated():
            return self.raw_answer(future)

    def raw_answer(self, future: Future[T]) -> T:
        """Wait for an answer of the AdminClient, at most `ANSWER_TIMEOUT`, with the library's own errors.

        Raises:
            KafkaException: there is none, or the server refuses who we are.
        """
        admin = self._open()[1]
        deadline = time.monotonic() + ANSWER_TIMEOUT + 1
        while True:
            try:
                return future.result(_LOOK)
            except (TimeoutError, Unfinished):
                admin.poll(0)
                if self._refusal is not None:
                    refusal, self._refusal = self._refusal, None
                    raise KafkaException(refusal) from None
                if time.monotonic() > deadline:
                    raise timed_out() from None

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise fsdf's errors for those of the client library."""
        try:
            yield
        except KafkaException as error:
            raise self.translate(error.args[0]) from None

    def translate(self, error: KafkaError) -> FsdfError:
        """Return fsdf's error for one of the client library."""
        return translate(error, self.shown)

    def note(self, error: KafkaError) -> None:
        """Remember that the server refuses us; called by the library."""
        if error.code() in REFUSED:
            self._refusal = error

    def renew(self) -> None:
        """Replace the AdminClient."""
        producer = self.producer
        with self._lock:
            self._clients = os.getpid(), self._admin(), producer

    def close(self) -> None:
        """Forget the clients; what was sent is already accepted."""
        with self._lock:
            self._clients = None

    def _open(self) -> tuple[int, AdminClient, KafkaProducer]:
        clients = self._clients
        if clients is not None and clients[0] == os.getpid():
            return clients
        with self._lock:
            if self._clients is not None and self._clients[0] != os.getpid():
                _inherited.append(self._clients)
                self._clients = None
            if self._clients is None:
                with self.translated():
                    self._clients = os.getpid(), self._admin(), KafkaProducer(self)
            return self._clients

    def _admin(self) -> AdminClient:
        return AdminClient(self.properties({"error_cb": self.note}))
