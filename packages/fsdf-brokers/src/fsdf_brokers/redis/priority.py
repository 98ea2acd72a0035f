"""REDIS_PRIORITY: a Redis list for each priority, the highest first.

A message of priority p goes to `<queue>:<p>`, one without to `<queue>`: producers of funboost share these lists, and
`redis-cli RPUSH sums:5 '{"x":1,"y":2}'` is a task. An idle consumer starts at once what fsdf sends; what others push
it finds within 0.1 s. Messages of a dead consumer come before all others. So no other queue may be named `sums:5`.
Needs Redis 6.2 or newer, or Valkey.

On a cluster these lists share a slot only if the queue's name has a hash tag: `{sums}`, not `sums`.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import redis

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.layout import Layout
from fsdf_brokers.redis.queue import RedisQueue
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.broker import Body, OutgoingMessage, QueueSize, Subscription

TOP_PRIORITY = 255
DEFAULT_PRIORITIES = 9


class RedisPriorityBroker(RedisAckAbleBroker):
    """Queues on one Redis server. Queue option: `x-max-priority`, from 1 to 255, default 9.

    Higher priorities count as the highest. Producers and consumers of one queue must agree on it. Arguments and errors
    are those of `RedisAckAbleBroker`.
    """

    capabilities = replace(RedisAckAbleBroker.capabilities, priority=True)
    queue_options = frozenset({"x-max-priority"})

    def queue(self, name: str, **options: Any) -> RedisQueue:
        """Return the queue of that name.

        Raises:
            ConfigurationError: `x-max-priority` is not valid.
        """
        top = options.get("x-max-priority")
        top = DEFAULT_PRIORITIES if top is None else top
        if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= TOP_PRIORITY:
            raise ConfigurationError(f"x-max-priority is {top!r}: use a whole number from 1 to {TOP_PRIORITY}")
        return PriorityQueue(self, name, top)


class PriorityQueue(RedisQueue):
    """Lists named `<name>` and `<name>:1` to `<name>:<top>`."""

    def __init__(self, broker: RedisPriorityBroker, name: str, top: int) -> None:
        layout = _layout(top)
        super().__init__(broker, broker.server, name, layout, broker.subscription(layout))
        self._top = top
        self._checked = False

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append each message to the list of its priority: all or none.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away; then they may have been accepted.
            StorageError: its memory is full.
            ConfigurationError: it refuses the password, a key is of another type, or it is a cluster and the name has
                no hash tag.
        """
        self._check()
        super().send(messages)

    def subscribe(self, consumer_id: str, prefetch: int) -> Subscription:
        """Start consuming.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: as `send`, or the server is too old.
        """
        self._check()
        return super().subscribe(consumer_id, prefetch)

    def size(self) -> QueueSize:
        """Count the messages of all priorities."""
        self._check()
        return super().size()

    def purge(self) -> int:
        """Delete what is ready or delayed, of all priorities."""
        self._check()
        return super().purge()

    def _check(self) -> None:
        if self._checked:
            return
        if not self._keys.tagged:
            with self._server.translated():
                try:
                    clustered = self._server.shared.execute_command("INFO", "cluster").get("cluster_enabled")
                except redis.exceptions.NoPermissionError:
                    clustered = 0
            if clustered:
                raise ConfigurationError(
                    f"REDIS_PRIORITY on a cluster needs a hash tag in the queue's name: {{{self.name}}} instead of "
                    f"{self.name}, so that the lists of all priorities are on one node"
                )
        self._checked = True

    def _words(self, message: OutgoingMessage) -> tuple[int, str, Body]:
        rank = str(min(message.priority, self._top)) if message.priority > 0 else ""
        return int(message.delay * 1000), rank, message.body


@functools.cache
def _layout(top: int) -> Layout:
    return Layout("wake", "priority_lists", "delay", wait=lambda keys, _: ("BLPOP", keys.wake), look=0.1, TOP=top)
