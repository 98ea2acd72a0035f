"""REDIS_BRPOP_LPUSH: a Redis list that is pushed at its left end and consumed from its right one.

`redis-cli LPUSH sums '{"x":1,"y":2}'` is a task of the queue `sums`; producers and consumers of funboost's kind of
that name share it. All else is as with REDIS_ACK_ABLE: batches, crash-safe acknowledgements, leases.
Needs Redis 6.2 or newer, or Valkey.
"""

from __future__ import annotations

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.layout import REVERSED_LIST


class RedisBrpopLpushBroker(RedisAckAbleBroker):
    """Queues on one Redis server; arguments and errors are those of `RedisAckAbleBroker`."""

    layout = REVERSED_LIST
