"""REDIS_STREAM: a Redis stream that one consumer group reads.

An entry is a task if it has one field, of whatever name, whose value is its body: `redis-cli XADD sums '*' body
'{"x":1,"y":2}'` is a task of the queue `sums`. The field of ours has an empty name; producers and consumers of
funboost share the queue and the group `funboost_group`. Other entries go to the dead letters.

What is acknowledged is deleted, for all groups. What is given back stays pending in the group, under the name
`fsdf::returned`, and is delivered before new entries; what is sent again is a new entry at the end. Delayed messages
wait beside the stream, in a sorted set. Needs Redis 6.2 or newer, or Valkey; sizes are exact from Redis 7 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.queue import RedisQueue
from fsdf_brokers.redis.stream_layout import stream_layout
from fsdf_brokers.redis.stream_subscription import StreamSubscription
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.redis.keys import Keys
    from fsdf_core.broker import OutgoingMessage

GROUP = "funboost_group"


class RedisStreamBroker(RedisAckAbleBroker):
    """Queues on one Redis server. Queue option: `group`, name of the consumer group, default "funboost_group".

    Arguments and errors are those of `RedisAckAbleBroker`. All consumers of a queue must name the same group.
    """

    queue_options = frozenset({"group"})

    def queue(self, name: str, **options: Any) -> RedisQueue:
        """Return the queue of that name.

        Raises:
            ConfigurationError: the group is no name.
        """
        group = options.get("group")
        group = GROUP if group is None else group
        if not isinstance(group, str) or not group:
            raise ConfigurationError(f"group is {group!r}: use the name of a consumer group")
        layout = stream_layout(group)

        def subscribe(keys: Keys, consumer_id: str) -> StreamSubscription:
            return StreamSubscription(self.server, keys, layout, consumer_id, self.heartbeat_timeout, self.lease_limit)

        return StreamQueue(self, self.server, name, layout, subscribe)


class StreamQueue(RedisQueue):
    """A stream named as the queue."""

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append all messages or none, in one command.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away; then they may have been accepted.
            StorageError: its memory is full.
            ConfigurationError: it refuses the password, or the queue's name is a key of another type.
        """
        if len(messages) == 1 and messages[0].delay <= 0:
            with self._server.translated():
                self._server.direct.execute_command("XADD", self.name, "*", "", messages[0].body)
        else:
            super().send(messages)
