"""A queue on Redis, of whatever layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_brokers.redis.keys import Keys
from fsdf_core.broker import Queue, QueueSize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_brokers.redis.layout import Layout
    from fsdf_brokers.redis.server import RedisAt
    from fsdf_core.broker import Body, Broker, OutgoingMessage, Subscription


class RedisQueue(Queue):
    """A key named as the queue, and what `Keys` names beside it.

    Args:
        broker: whose queue it is.
        server: where.
        name: the key.
        layout: how messages are kept.
        subscribe: opens a subscription for a consumer's id.
    """

    def __init__(
        self,
        broker: Broker,
        server: RedisAt,
        name: str,
        layout: Layout,
        subscribe: Callable[[Keys, str], Subscription],
    ) -> None:
        self.broker = broker
        self.name = name
        self._server = server.at(name)
        self._layout = layout
        self._keys = Keys(name)
        self._subscribe = subscribe

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append all messages or none, in one command.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away; then they may have been accepted.
            StorageError: its memory is full.
            ConfigurationError: it refuses the password, or the queue's name is a key of another type.
        """
        if not messages:
            return
        push = self._layout.push
        with self._server.translated():
            if push is None or any(message.delay > 0 for message in messages):
                arguments = [word for message in messages for word in self._words(message)]
                self._layout.send(self._server.direct, self._keys.common, arguments)
            else:
                self._server.direct.execute_command(push, self.name, *[one.body for one in messages])

    def subscribe(self, consumer_id: str, prefetch: int) -> Subscription:  # noqa: ARG002 - contract
        """Start consuming.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it refuses the password, or is too old.
        """
        return self._subscribe(self._keys, consumer_id)

    def size(self) -> QueueSize:
        """Count the messages."""
        keys = self._keys
        with self._server.translated():
            numbers = self._layout.size(self._server.direct, (*keys.common, keys.beats))
        return QueueSize(*numbers)

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        with self._server.translated():
            return int(self._layout.purge(self._server.direct, self._keys.common))

    def _words(self, message: OutgoingMessage) -> tuple[int, str, Body]:
        """Return what the layout's `send` takes: the delay in milliseconds, the rank if it has one, the body."""
        return int(message.delay * 1000), "", message.body
