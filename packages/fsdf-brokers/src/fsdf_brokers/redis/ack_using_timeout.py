"""REDIS_ACK_USING_TIMEOUT: a plain Redis list; what is not acknowledged in time comes back.

No heartbeat and no connection counts: a message that is held for `ack_timeout` seconds is delivered again, whether
its consumer is dead or still runs it. So choose a timeout longer than any task, waiting in the consumer included.
`redis-cli RPUSH sums '{"x":1,"y":2}'` is a task of the queue `sums`. Needs Redis 6.2 or newer, or Valkey.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.layout import Layout
from fsdf_brokers.redis.queue import RedisQueue
from fsdf_core.errors import ConfigurationError

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
        return RedisQueue(self, self.server, name, layout, self.subscription(layout))


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
