"""The contract of a client library: one connection to RabbitMQ with one working channel.

A link is opened, used and closed by one thread (`LinkThread`); only `wake` may be called by others. Its methods
raise fsdf's errors, never the library's: `BrokerUnavailable` or `ConfigurationError` mean that the link is dead,
`StorageError` and `QueueFull` that it lives on.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from fsdf_core.errors import BrokerUnavailable, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_brokers.rabbitmq.address import Address

CONNECT_TIMEOUT = 5.0
"""Seconds that a server has to accept a connection."""

ANSWER_TIMEOUT = 20.0
"""Seconds that a server has to answer, or to confirm a batch."""


class Publication(NamedTuple):
    """A persistent message to publish. `priority` None: none is set."""

    exchange: str
    routing_key: str
    body: bytes
    priority: int | None = None
    headers: dict[str, Any] | None = None


class Received(NamedTuple):
    """A message delivered under a tag, which counts from 1 on each link."""

    tag: int
    body: bytes
    priority: int | None
    headers: dict[str, Any] | None


class Link(ABC):
    """One connection; opened by the constructor.

    Args:
        address: where to connect.
        name: shown in the server's list of connections.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it refuses user, password or virtual host.
    """

    @abstractmethod
    def __init__(self, address: Address, name: str) -> None: ...

    @abstractmethod
    def count(self, queue: str) -> int | None:
        """Return the number of ready messages; None if there is no such queue."""

    @abstractmethod
    def declare(self, queue: str, arguments: dict[str, Any], *, durable: bool) -> None:
        """Create the queue, or check that it is as described."""

    @abstractmethod
    def declare_exchange(self, exchange: str, kind: str, *, durable: bool) -> None:
        """Create the exchange, or check that it is as described."""

    @abstractmethod
    def bind(self, queue: str, exchange: str, routing_key: str, arguments: dict[str, Any]) -> None:
        """Bind the queue to the exchange."""

    @abstractmethod
    def purge(self, queue: str) -> int:
        """Delete what is ready; return how many."""

    @abstractmethod
    def publish(self, batch: Sequence[Publication]) -> None:
        """Publish all, and return once the server has taken responsibility for all.

        Raises:
            StorageError: the server has an alarm and takes nothing; only the batch that met it may be taken later.
            QueueFull: the server refused some, as a queue with a maximal length does.
            Unroutable: no queue wanted one of them.
        """

    @abstractmethod
    def consume(self, queue: str, prefetch: int, sink: Callable[[Received], None]) -> None:
        """Let so many more messages be unacknowledged here. The sink is called from within this link's methods."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop consuming; what was delivered stays unacknowledged."""

    @abstractmethod
    def ack(self, tag: int, *, multiple: bool) -> None:
        """Acknowledge one message, or all up to it."""

    @abstractmethod
    def give_back(self, tag: int, *, multiple: bool) -> None:
        """Return one message to its place in the queue, or all up to it (tag 0: all)."""

    @abstractmethod
    def flush(self) -> None:
        """Return once the server has carried out the acknowledgements, and what it delivered until then is here."""

    @abstractmethod
    def wait(self, timeout: float) -> None:
        """Serve the connection until a message has come, `wake` was called or `timeout` seconds have passed."""

    @abstractmethod
    def wake(self) -> None:
        """Make the present or the next `wait` return at once; from any thread."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection in a few seconds at most; never raises. Idempotent."""

    @abstractmethod
    def abandon(self) -> None:
        """Close the socket alone: a forked child must not keep its parent's connection open."""


def answer_at_once(sock: socket.socket) -> None:
    """Switch off Nagle's algorithm, which delays small writes by 40 ms where the peer delays its answers."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def quiet(logger: str) -> None:
    """Keep a library from printing what is raised anyway, unless the user has given its logger a level."""
    found = logging.getLogger(logger)
    if found.level == logging.NOTSET:
        found.setLevel(logging.CRITICAL)


def no_sink(_: Received) -> None:
    """Take nothing: nobody consumes yet."""


class Unroutable(BrokerUnavailable):
    """A message was returned, because no queue wanted it."""


def unreachable(address: Address, error: object) -> BrokerUnavailable:
    """Return the error for a server that does not answer."""
    return BrokerUnavailable(
        f"RabbitMQ at {address.shown} is not available: {error}. Does it run, is FSDF_RABBITMQ_URL right?"
    )


def refused(address: Address, error: object) -> ConfigurationError:
    """Return the error for a server that lets nobody in."""
    return ConfigurationError(
        f"RabbitMQ at {address.shown} refuses: {error}. Check user, password and virtual host: FSDF_RABBITMQ_URL"
    )


def closed_by_server(address: Address, code: int, text: str) -> BrokerUnavailable | ConfigurationError:
    """Return the error for a channel or connection that the server closed, by its reply code.

    403 and 530 mean missing rights, 405 an exclusive queue, 406 another declaration of the same name (and, with
    the text "timeout", a message that was held for longer than the server's `consumer_timeout`).
    """
    if code == 406 and "timeout" in text:  # noqa: PLR2004 - reply codes of AMQP 0-9-1
        return BrokerUnavailable(
            f"RabbitMQ at {address.shown} took back a message that ran for too long: {text}. Raise its "
            "consumer_timeout, or the queue's x-consumer-timeout"
        )
    if code == 406:  # noqa: PLR2004
        return ConfigurationError(
            f"RabbitMQ at {address.shown} has a queue or exchange of this name with other options: {text}. "
            "Give the same options (queue_options), choose another name, or delete it"
        )
    if code in {403, 405, 530}:
        return refused(address, text)
    return unreachable(address, text)


def alarmed(address: Address) -> str:
    """Return the text for a server that takes no messages."""
    return (
        f"RabbitMQ at {address.shown} takes no messages: its memory or disk alarm is on. Consume or delete messages, "
        "make room, or raise vm_memory_high_watermark or lower disk_free_limit"
    )


def nobody_wants(address: Address, publication: Publication | str) -> Unroutable:
    """Return the error for a message that came back."""
    target = publication if isinstance(publication, str) else publication.routing_key
    return Unroutable(
        f"RabbitMQ at {address.shown} has no queue for {target!r}: it was deleted, or nothing is bound to the exchange"
    )
