"""RABBITMQ_AMQPSTORM: the link by AMQPStorm, and the broker that uses it.

The library reads in a thread of its own and is asked each 10 ms for what has come. By itself it awaits the confirm
of each message before the next one is sent; here those of a batch are collected.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from amqpstorm.connection import Connection
from amqpstorm.exception import AMQPChannelError, AMQPConnectionError, AMQPError, AMQPMessageError
from pamqp import commands

from fsdf_brokers.rabbitmq.broker import RabbitMQBroker
from fsdf_brokers.rabbitmq.link import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    Link,
    Received,
    alarmed,
    answer_at_once,
    closed_by_server,
    no_sink,
    nobody_wants,
    quiet,
    unreachable,
)
from fsdf_core.errors import QueueFull, StorageError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from fsdf_brokers.rabbitmq.address import Address
    from fsdf_brokers.rabbitmq.link import Publication

_MOST = 500
"""Messages taken before the link looks at what it is asked to do."""

_NOT_FOUND = 404


class AMQPStormLink(Link):
    """A connection of AMQPStorm with one channel."""

    def __init__(self, address: Address, name: str) -> None:
        quiet("amqpstorm")
        self._address = address
        self._woken = threading.Event()
        self._confirming = False
        self._published = 0
        self._consumers: list[str] = []
        self._sink: Callable[[Received], None] = no_sink
        with self._translated():
            self._connection = Connection(
                address.host,
                address.user,
                address.password,
                port=address.port,
                virtual_host=address.virtual_host,
                heartbeat=address.heartbeat,
                timeout=CONNECT_TIMEOUT,
                ssl=address.tls is not None,
                ssl_options={} if address.tls is None else {"context": address.tls_context()},
                client_properties={"connection_name": name},
                lazy=True,
            )
            _open(self._connection)
            if sock := self._socket():
                answer_at_once(sock)
            self._channel = self._open_channel()

    def count(self, queue: str) -> int | None:
        """Count on a channel of its own: a passive declaration of no queue closes it."""
        channel = None
        try:
            with self._translated():
                channel = self._open_channel()
                try:
                    return int(channel.queue.declare(queue, passive=True)["message_count"])
                except AMQPChannelError as error:
                    if error.error_code == _NOT_FOUND:
                        return None
                    raise
        finally:
            if channel is not None:
                with contextlib.suppress(AMQPError):
                    channel.close()

    def declare(self, queue: str, arguments: dict[str, Any], *, durable: bool) -> None:
        """Declare the queue."""
        with self._translated():
            self._channel.queue.declare(queue, durable=durable, arguments=arguments)

    def declare_exchange(self, exchange: str, kind: str, *, durable: bool) -> None:
        """Declare the exchange."""
        with self._translated():
            self._channel.exchange.declare(exchange, exchange_type=kind, durable=durable)

    def bind(self, queue: str, exchange: str, routing_key: str, arguments: dict[str, Any]) -> None:
        """Bind the queue."""
        with self._translated():
            self._channel.queue.bind(queue, exchange, routing_key, arguments=arguments)

    def purge(self, queue: str) -> int:
        """Purge the queue."""
        with self._translated():
            return int(self._channel.queue.purge(queue)["message_count"])

    def publish(self, batch: Sequence[Publication]) -> None:
        """Publish with confirms."""
        if self._connection.is_blocked:
            raise StorageError(alarmed(self._address))
        with self._translated():
            rpc = self._channel.rpc
            if not self._confirming:
                self._channel.rpc_request(commands.Confirm.Select())
                self._confirming = True
            unconfirmed = set(range(self._published + 1, self._published + len(batch) + 1))
            self._published += len(batch)
            confirms = rpc.register_request(["Basic.Ack", "Basic.Nack"])
            self._write(batch)
            refused = 0
            while unconfirmed:
                try:
                    frame = rpc.get_request(confirms, raw=True, multiple=True)
                except AMQPChannelError:
                    if self._connection.is_blocked:
                        raise StorageError(
                            f"{alarmed(self._address)}. This batch may still be accepted when it ends"
                        ) from None
                    raise
                tag = frame.delivery_tag
                tags = {one for one in unconfirmed if one <= tag} if frame.multiple else {tag}
                unconfirmed -= tags
                refused += len(tags) if isinstance(frame, commands.Basic.Nack) else 0
            rpc.remove(confirms)
            self._channel.check_for_exceptions()
        if refused:
            raise QueueFull(f"RabbitMQ at {self._address.shown} refused {refused} of {len(batch)} message(s)")

    def consume(self, queue: str, prefetch: int, sink: Callable[[Received], None]) -> None:
        """Add a consumer: the prefetch of one that exists cannot be changed."""
        self._sink = sink
        with self._translated():
            self._channel.basic.qos(prefetch)
            self._consumers.append(self._channel.basic.consume(lambda _: None, queue))

    def cancel(self) -> None:
        """Cancel the consumers, and take what they were sent until then."""
        with self._translated():
            while self._consumers:
                self._channel.basic.cancel(self._consumers.pop())
        while self._take():
            pass

    def ack(self, tag: int, *, multiple: bool) -> None:
        """Send the acknowledgement."""
        with self._translated():
            self._channel.basic.ack(tag, multiple)

    def give_back(self, tag: int, *, multiple: bool) -> None:
        """Send the negative acknowledgement."""
        with self._translated():
            self._channel.basic.nack(tag, multiple, requeue=True)

    def flush(self) -> None:
        """Ask something harmless."""
        with self._translated():
            self._channel.basic.qos(0)
        while self._consumers and self._take():
            pass

    def wait(self, timeout: float) -> None:
        """Look again and again for what has come."""
        deadline = time.monotonic() + timeout
        while not self._woken.is_set():
            if self._consumers:
                if self._take():
                    break
            else:
                self._woken.wait(min(timeout, 0.1))
                with self._translated():
                    self._channel.check_for_errors()
            if time.monotonic() >= deadline:
                break
        self._woken.clear()

    def wake(self) -> None:
        """End the wait."""
        self._woken.set()

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(Exception):
            self._connection.close()

    def abandon(self) -> None:
        """Close the socket."""
        if sock := self._socket():
            os.close(sock.detach())

    def _socket(self) -> socket.socket | None:
        return self._connection._io.socket  # noqa: SLF001 - there is no other way to a connection's socket

    def _write(self, batch: Sequence[Publication]) -> None:
        publish = self._channel.basic.publish
        for exchange, routing_key, body, priority, headers in batch:
            properties: dict[str, Any] = {"delivery_mode": 2}
            if priority is not None:
                properties["priority"] = priority
            if headers is not None:
                properties["headers"] = headers
            publish(body, routing_key, exchange, properties, mandatory=True)

    def _take(self) -> int:
        """Hand over what has come; a look at nothing takes 10 ms."""
        taken = 0
        with self._translated():
            arrived = self._channel.build_inbound_messages(break_on_empty=True, auto_decode=False, empty_timeout=None)
            for message in arrived:
                properties = message.properties
                self._sink(
                    Received(message.delivery_tag, message.body, properties.get("priority"), properties.get("headers"))
                )
                taken += 1
                if taken == _MOST:
                    break
        return taken

    def _open_channel(self) -> Any:
        return self._connection.channel(rpc_timeout=int(ANSWER_TIMEOUT))

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except AMQPMessageError as error:
            raise nobody_wants(self._address, str(error)) from None
        except AMQPError as error:
            if error.error_code:
                raise closed_by_server(self._address, error.error_code, str(error)) from None
            raise unreachable(self._address, error) from None


def _open(connection: Connection) -> None:
    """Open it, and close the sockets of addresses that did not answer: the library leaves them to the collector."""
    made: list[socket.socket] = []
    io = connection._io  # noqa: SLF001 - there is no other way to them
    create = io._create_socket  # noqa: SLF001 - as above

    def noted(*arguments: Any, **options: Any) -> Any:
        made.append(create(*arguments, **options))
        return made[-1]

    vars(io)["_create_socket"] = noted
    try:
        connection.open()
    finally:
        del vars(io)["_create_socket"]
        for sock in made:
            if sock is not connection.socket:
                sock.close()


class AMQPStormBroker(RabbitMQBroker):
    """Queues on a RabbitMQ server, reached by AMQPStorm."""

    retryable_errors = (AMQPConnectionError, AMQPChannelError)
    link = AMQPStormLink
