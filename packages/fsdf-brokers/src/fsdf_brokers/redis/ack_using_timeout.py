"""REDIS_ACK_USING_TIMEOUT: a plain Redis list; what is not acknowledged in time comes back.

No heartbeat and no connection counts: a message that is held for `ack_timeout` seconds is delivered again, whether
its consumer is dead or still runs it. So choose a timeout longer than any task, waiting in the consumer included.
`redis-cli RPUSH sums '{"x":1,"y":2}'` is a task of the queue `sums`. Needs Redis 6.2 or newer, or Valkey.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.layout import Layout
from fsdf_brokers.redis.queue import RedisQueue
from fsdf_brokers.redis.subscription import RedisSubscription
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.redis.keys import Keys
    from fsdf_core.broker import Delivery

_DEFAULT = 3600.0
_SHORTEST, _LONGEST = 0.001, 10 * 365 * 86400


class RedisAckUsingTimeoutBroker(RedisAckAbleBroker):
    """Queues on one Redis server. Queue option: `ack_timeout` in seconds, default 3600.

    Arguments and errors are those of `RedisAckAbleBroker`. Consumers of one queue should agree on the timeout: each
    message comes back after that of the consumer that held it.
    """

    capabilities = replace(RedisAckAbleBroker.capabilities, liveness="timeout")
    queue_options = frozenset({"ack_timeout"})

    def queue(self, name: str, **options: Any) -> RedisQueue:
        """Return the queue of that name.

        Raises:
            ConfigurationError: the timeout is no number above 0.
        """
        timeout = options.get("ack_timeout")
        timeout = _DEFAULT if timeout is None else timeout
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not _SHORTEST <= timeout <= _LONGEST:
            raise ConfigurationError(f"ack_timeout is {timeout!r}: use a number of seconds above 0")
        layout = _layout(int(timeout * 1000))

        def subscribe(keys: Keys, consumer_id: str) -> TimedSubscription:
            return TimedSubscription(self.server, keys, layout, consumer_id, self.heartbeat_timeout, self.lease_limit)

        return RedisQueue(self, self.server, name, layout, subscribe)


class TimedSubscription(RedisSubscription):
    """Claims end by themselves; what is acknowledged is also struck off the list of those ends."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages that still are this consumer's."""
        super().ack(deliveries)
        self._strike(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Put the messages at the end, or among the delayed ones."""
        super().requeue(deliveries, delay)
        self._strike(deliveries)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put the messages back in front, uncounted."""
        super().release(deliveries)
        self._strike(deliveries)

    def _strike(self, deliveries: Sequence[Delivery]) -> None:
        # Only keeps the set small: an end without its message means nothing.
        if deliveries:
            members = [f"{delivery.token:016d} {self._id}" for delivery in deliveries]
            with self._server.translated():
                self._server.shared.execute_command("ZREM", self._keys.deadlines, *members)


@functools.cache
def _layout(milliseconds: int) -> Layout:
    # The queue's key wakes without giving anything away: the head moves to the head.
    return Layout(
        "list",
        "delay",
        wait=lambda keys, _: ("BLMOVE", keys.ready, keys.ready, "LEFT", "LEFT"),
        push="RPUSH",
        timed=True,
        ACK_TIMEOUT=milliseconds,
    )
