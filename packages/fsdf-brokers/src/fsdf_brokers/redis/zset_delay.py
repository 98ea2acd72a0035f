"""REDIS_ZSET_DELAY: a Redis sorted set, by the time at which a message is due.

The score is that time in seconds since the epoch, the member the message: producers and consumers of funboost share
it, and `redis-cli ZADD sums 0 '{"x":1,"y":2}'` is a task. A message equal to one that waits already gets a number
before it, so it is a second one; two equal ones that others add are one, that is how sorted sets are.
An idle consumer starts at once what fsdf sends for now; what others add it finds within 0.1 s.

When a message is due: `extra.other_extra_params.for_broker_redis_zset_delay` may say so, by `eta_timestamp` (seconds
since the epoch) or `delay_seconds` (after `extra.publish_time`); a delay that it is sent with, such as `countdown`,
goes first. Needs Redis 6.2 or newer, or Valkey.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.layout import Layout
from fsdf_brokers.redis.queue import RedisQueue
from fsdf_core.codec import decode
from fsdf_core.errors import ConfigurationError, DecodeError

if TYPE_CHECKING:
    from fsdf_core.broker import Body, OutgoingMessage

OPTION = "for_broker_redis_zset_delay"

_OPTION = OPTION.encode()
_LAYOUT = Layout("wake", "sorted_set", wait=lambda keys, _: ("BLPOP", keys.wake), look=0.1, send="send_at")


class RedisZsetDelayBroker(RedisAckAbleBroker):
    """Queues on one Redis server; arguments and errors are those of `RedisAckAbleBroker`."""

    layout = _LAYOUT

    def queue(self, name: str, **options: Any) -> RedisQueue:  # noqa: ARG002 - it has none
        """Return the queue of that name."""
        return ZsetDelayQueue(self, self.server, name, self.layout, self.subscription(self.layout))


class ZsetDelayQueue(RedisQueue):
    """A sorted set named as the queue."""

    def _words(self, message: OutgoingMessage) -> tuple[int, str, Body]:
        due = "" if message.delay > 0 or _OPTION not in message.body else _due(message.body)
        return int(message.delay * 1000), due, message.body


def _due(body: Any) -> str:
    """Return the moment that the option says; "" if it says none.

    It is the same each time the message is sent: a retry does not wait again.
    """
    try:
        extra = decode(body).extra
    except DecodeError:
        return ""
    others = extra.get("other_extra_params")
    option = others.get(OPTION) if isinstance(others, dict) else None
    if option is None:
        return ""
    if not isinstance(option, dict):
        raise ConfigurationError(f'{OPTION} is {option!r}: use {{"eta_timestamp": …}} or {{"delay_seconds": …}}')
    if "eta_timestamp" in option:
        return repr(_number(option, "eta_timestamp"))
    if "delay_seconds" in option:
        return repr(_published(extra) + _number(option, "delay_seconds"))
    return ""


def _published(extra: dict[str, Any]) -> float:
    published = extra.get("publish_time")
    if isinstance(published, int | float) and math.isfinite(published):
        return float(published)
    return time.time()


def _number(option: dict[str, Any], name: str) -> float:
    value = option[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigurationError(f"{OPTION}: {name} is {value!r}, not a number of seconds")
    return float(value)
