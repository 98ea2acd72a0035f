"""A queue that is a Redis list, whoever consumes it how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_brokers.redis.keys import Keys
from fsdf_brokers.redis.scripts import PURGE, SEND, SIZE
from fsdf_core.broker import Queue, QueueSize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_brokers.redis.server import RedisAt
    from fsdf_core.broker import Broker, OutgoingMessage, Subscription


class RedisListQueue(Queue):
    """A list named as the queue, and what `Keys` names beside it.

    Args:
        broker: whose queue it is.
        server: where.
        name: the list's key.
        subscribe: opens a subscription for a consumer's id.
    """

    def __init__(
        self, broker: Broker, server: RedisAt, name: str, subscribe: Callable[[Keys, str], Subscription]
    ) -> None:
        self.broker = broker
        self.name = name
        self._server = server
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
        with self._server.translated():
            if any(message.delay > 0 for message in messages):
                arguments = [word for one in messages for word in (int(one.delay * 1000), one.body)]
                SEND(self._server.shared, (self.name, self._keys.delayed, self._keys.sequence), arguments)
            else:
                self._server.shared.execute_command("RPUSH", self.name, *[one.body for one in messages])

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
            numbers = SIZE(self._server.shared, (keys.ready, keys.returned, keys.delayed, keys.beats), (keys.prefix,))
        return QueueSize(*numbers)

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        keys = self._keys
        with self._server.translated():
            return int(PURGE(self._server.shared, (keys.ready, keys.returned, keys.delayed)))
