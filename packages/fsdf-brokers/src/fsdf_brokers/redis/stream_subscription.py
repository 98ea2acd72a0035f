"""One consumer's hold on a stream of Redis."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import redis

from fsdf_brokers.redis.subscription import LOST, RedisSubscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.redis.keys import Keys
    from fsdf_brokers.redis.server import RedisAt
    from fsdf_brokers.redis.stream_layout import StreamLayout
    from fsdf_core.broker import Delivery

_MOST_BYTES = 16 * 2**20

_TIDY = 2.0
"""Seconds between two looks for what lies where nobody looks."""


class StreamSubscription(RedisSubscription):
    """Claims by script; waits in a command that delivers to another name of this consumer, from which it claims.

    Tokens are the entries' ids. An acknowledgement counts whoever holds the message by then: it has run.

    Arguments and errors are those of `RedisSubscription`.
    """

    asks_ahead = False

    def __init__(
        self,
        server: RedisAt,
        keys: Keys,
        layout: StreamLayout,
        consumer_id: str,
        heartbeat_timeout: float,
        lease_limit: float,
    ) -> None:
        self._stream = layout
        self._held: set[bytes] = set()
        self._next_tidy = 0.0
        self._long = int(lease_limit * 1000)
        super().__init__(server, keys, layout, consumer_id, heartbeat_timeout, lease_limit)

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim messages.

        Raises:
            BrokerUnavailable: the connection broke; `reconnect` mends it.
        """
        now = time.monotonic()
        if now >= self._next_tidy:
            self._next_tidy = now + _TIDY
            self._tidy()
        return super().receive(limit, timeout)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages."""
        super().ack(deliveries)
        self._held.difference_update([delivery.token for delivery in deliveries])

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Put the messages that still are this consumer's at the end, or among the delayed ones."""
        super().requeue(deliveries, delay)
        self._held.difference_update([delivery.token for delivery in deliveries])

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put the messages that still are this consumer's back in front, uncounted."""
        if deliveries:
            tokens = [delivery.token for delivery in deliveries]
            with self._server.translated():
                self._release(self._server.direct, tokens)
            self._next_look = 0.0
            self._held.difference_update(tokens)

    def reconnect(self) -> None:
        """Enter anew, so that no call on the old connection claims any more; give back what one claimed."""
        with self._server.translated():
            self._admit()
            pending = self._stream.pending(self._line, self._keys.common, (self._id,))
            if doubtful := [one for one in pending if one not in self._held]:
                self._release(self._line, doubtful)

    def _admit(self) -> None:
        super()._admit()
        self._stream.found(self._line, self._keys.common)

    def _take(self, limit: int, patience: float | None) -> list[Delivery]:
        try:
            answer = self._ask(
                self._stream.take, self._keys.common, (self._id, self._incarnation, limit, _MOST_BYTES), patience
            )
        except redis.ResponseError as error:
            if not _without_group(error):
                raise
            answer = (LOST,)

        wait, ids, bodies, claims = answer if len(answer) > 1 else (LOST, (), (), ())
        self._held.update(ids)
        return self._claimed(wait, bodies, ids, claims)

    def _waiting(self, patience: float) -> tuple[Any, ...]:
        group = ("GROUP", self._stream.group, f"fsdf:{self._id}:inbox")
        milliseconds = max(1, int(patience * 1000))
        return "XREADGROUP", *group, "COUNT", 1, "BLOCK", milliseconds, "STREAMS", self._keys.ready, ">"

    def _tidy(self) -> None:
        keys = (*self._keys.common, f"{self._keys.prefix}tidied")
        with self._server.translated():
            try:
                count = self._stream.tidy(self._line, keys, (int(_TIDY * 1000), self._long))
            except redis.OutOfMemoryError:
                return
        if count:
            logging.getLogger(f"fsdf.{self._keys.ready}").warning(
                "consumers that are dead, or of another system and idle for long: %d message(s) are delivered again",
                count,
            )


def _without_group(error: redis.ResponseError) -> bool:
    """Whether the stream or its group was deleted; the next admission makes it anew."""
    return str(error).startswith(("NOGROUP", "UNBLOCKED"))
