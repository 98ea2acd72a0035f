"""RABBITMQ_RABBITPY: the link by rabbitpy, and the broker that uses it.

While the library waits for pushed messages nothing may be asked of the server on the same channel, or it mixes up
the frames; and it waits without a time limit. So messages are fetched one by one, which costs a round trip each and
a look each 20 ms when there are none. Messages are confirmed one by one, or, if there are many, by a transaction.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import rabbitpy
from pamqp import commands
from rabbitpy import exceptions

from fsdf_brokers.rabbitmq.broker import RabbitMQBroker
from fsdf_brokers.rabbitmq.link import (
    Link,
    Received,
    alarmed,
    answer_at_once,
    closed_by_server,
    no_sink,
    nobody_wants,
    quiet,
    refused,
    unreachable,
)
from fsdf_core.errors import QueueFull, StorageError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from fsdf_brokers.rabbitmq.address import Address
    from fsdf_brokers.rabbitmq.link import Publication

_MOST = 500
"""Messages fetched before the link looks at what it is asked to do."""

_MANY = 200
"""Messages for which the 50 ms of a transaction are less than the round trips of confirms."""

_LOOK = 0.02
"""Seconds between two looks at an empty queue."""

_REFUSED = (exceptions.AMQPAccessRefused, exceptions.AMQPNotAllowed)
_LOST = (exceptions.RabbitpyException, OSError, RuntimeError, ssl.SSLError)


class RabbitpyLink(Link):
    """A connection of rabbitpy with a channel for each purpose."""

    def __init__(self, address: Address, name: str) -> None:
        quiet("rabbitpy")
        self._address = address
        self._woken = threading.Event()
        self._confirmed: Any = None
        self._transacted: Any = None
        self._transaction: Any = None
        self._consuming: Any = None
        self._queue: Any = None
        self._prefetch = 0
        self._open: set[int] = set()
        self._sink: Callable[[Received], None] = no_sink
        with self._translated():
            self._connection = rabbitpy.Connection(_url(address), connection_name=name)
        if sock := self._socket():
            answer_at_once(sock)

    def count(self, queue: str) -> int | None:
        """Count on a channel of its own: a passive declaration of no queue closes it."""
        with self._translated():
            channel = self._connection.channel()
            try:
                ready = int(rabbitpy.Queue(channel, queue).declare(passive=True)[0])
            except exceptions.AMQPNotFound:
                self._agree_to_close(channel)
                return None
            channel.close()
        return ready

    def declare(self, queue: str, arguments: dict[str, Any], *, durable: bool) -> None:
        """Declare the queue."""
        with self._channel() as channel:
            rabbitpy.Queue(channel, queue, durable=durable, arguments=arguments).declare()

    def declare_exchange(self, exchange: str, kind: str, *, durable: bool) -> None:
        """Declare the exchange."""
        with self._channel() as channel:
            rabbitpy.Exchange(channel, exchange, exchange_type=kind, durable=durable).declare()

    def bind(self, queue: str, exchange: str, routing_key: str, arguments: dict[str, Any]) -> None:
        """Bind the queue."""
        with self._channel() as channel:
            rabbitpy.Queue(channel, queue).bind(exchange, routing_key, arguments)

    def purge(self, queue: str) -> int:
        """Purge the queue."""
        with self._channel() as channel:
            return int(channel.rpc(commands.Queue.Purge(queue=queue)).message_count)

    def publish(self, batch: Sequence[Publication]) -> None:
        """Publish in a transaction."""
        if self._connection.blocked:
            raise StorageError(alarmed(self._address))
        with self._translated():
            channel = self._confirming() if len(batch) < _MANY else self._transacting()
            for exchange, routing_key, body, priority, headers in batch:
                properties: dict[str, Any] = {"delivery_mode": 2}
                if priority is not None:
                    properties["priority"] = priority
                if headers is not None:
                    properties["headers"] = headers
                if rabbitpy.Message(channel, body, properties).publish(exchange, routing_key, mandatory=True) is False:
                    raise QueueFull(f"RabbitMQ at {self._address.shown} refused a message")
            if self._transaction is not None and channel is self._transacted:
                self._transaction.commit()

    def consume(self, queue: str, prefetch: int, sink: Callable[[Received], None]) -> None:
        """Let `wait` fetch so many more."""
        self._sink = sink
        self._prefetch += prefetch
        if self._queue is None:
            with self._translated():
                self._consuming = self._connection.channel()
                self._queue = rabbitpy.Queue(self._consuming, queue)

    def cancel(self) -> None:
        """Stop consuming."""
        self._prefetch = 0

    def ack(self, tag: int, *, multiple: bool) -> None:
        """Send the acknowledgement."""
        self._settle(commands.Basic.Ack(tag, multiple), tag, multiple=multiple)

    def give_back(self, tag: int, *, multiple: bool) -> None:
        """Send the negative acknowledgement."""
        self._settle(commands.Basic.Nack(tag, multiple, requeue=True), tag, multiple=multiple)

    def flush(self) -> None:
        """Ask something harmless."""
        if self._consuming is not None:
            with self._translated():
                self._consuming.prefetch_count(0)

    def wait(self, timeout: float) -> None:
        """Look again and again for what has come."""
        deadline = time.monotonic() + timeout
        while not self._woken.is_set() and not self._take() and time.monotonic() < deadline:
            if self._connection.closed:
                raise unreachable(self._address, "the connection was closed")
            self._woken.wait(min(_LOOK, timeout) if self._prefetch else timeout)
        self._woken.clear()

    def wake(self) -> None:
        """End the wait."""
        self._woken.set()

    def close(self) -> None:
        """Close the connection, and the socket, which the library sometimes leaves open."""
        sock = self._socket()
        with contextlib.suppress(Exception):
            self._connection.close()
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()

    def abandon(self) -> None:
        """Close the socket."""
        if sock := self._socket():
            os.close(sock.detach())

    def _socket(self) -> socket.socket | None:
        io = self._connection._io  # noqa: SLF001 - there is no other way to a connection's socket
        return None if io is None else io._socket  # noqa: SLF001

    def _confirming(self) -> Any:
        if self._confirmed is None:
            self._confirmed = self._connection.channel()
            self._confirmed.enable_publisher_confirms()
        return self._confirmed

    def _transacting(self) -> Any:
        if self._transacted is None:
            self._transacted = self._connection.channel()
            self._transaction = rabbitpy.Tx(self._transacted)
            self._transaction.select()
        return self._transacted

    def _agree_to_close(self, channel: Any) -> None:
        """Answer the server, which the library forgets: the channel's number could not be used again."""
        io = self._connection._io  # noqa: SLF001 - a closed channel writes nothing itself
        if io is not None:
            io.write_queue.put((channel.id, commands.Channel.CloseOk()))
            io.write_trigger.send(b"0")

    def _take(self) -> int:
        taken = 0
        while len(self._open) < self._prefetch and taken < _MOST:
            with self._translated():
                message = self._queue.get()
            if message is None:
                break
            properties = message.properties
            tag = message.delivery_tag
            self._open.add(tag)
            self._sink(Received(tag, bytes(message.body), properties.get("priority"), properties.get("headers")))
            taken += 1
        return taken

    def _settle(self, frame: Any, tag: int, *, multiple: bool) -> None:
        with self._translated():
            self._consuming.write_frame(frame)
        if multiple:
            self._open = {one for one in self._open if tag and one > tag}
        else:
            self._open.discard(tag)

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Any]:
        with self._translated():
            channel = self._connection.channel()
            try:
                yield channel
            finally:
                with contextlib.suppress(*_LOST):
                    channel.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exceptions.MessageReturnedException as error:
            raise nobody_wants(self._address, str(error)) from None
        except _REFUSED as error:
            raise refused(self._address, type(error).__name__) from None
        except exceptions.AMQPPreconditionFailed as error:
            raise closed_by_server(self._address, 406, str(error)) from None
        except _LOST as error:
            raise unreachable(self._address, f"{type(error).__name__} {error}") from None


class RabbitpyBroker(RabbitMQBroker):
    """Queues on a RabbitMQ server, reached by rabbitpy."""

    retryable_errors = (exceptions.RabbitpyException,)
    link = RabbitpyLink


def _url(address: Address) -> str:
    options: dict[str, str | int] = {"heartbeat": address.heartbeat}
    if address.tls is not None:
        options |= {"verify": "required", **address.tls}
    host = f"[{address.host}]" if ":" in address.host else address.host
    user, password, place = (quote(one, safe="") for one in (address.user, address.password, address.virtual_host))
    scheme = "amqp" if address.tls is None else "amqps"
    return f"{scheme}://{user}:{password}@{host}:{address.port}/{place}?{urlencode(options)}"
