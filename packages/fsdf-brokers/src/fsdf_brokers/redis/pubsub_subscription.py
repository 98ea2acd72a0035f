"""One consumer that listens to a channel of Redis."""

from __future__ import annotations

import threading
import time
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fsdf_brokers.redis.lease import NAME
from fsdf_core.broker import Delivery, Subscription
from fsdf_core.errors import BrokerUnavailable, FsdfError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.redis.server import RedisAt
    from fsdf_core.broker import OutgoingMessage

_MOST_BYTES = 64 * 2**20
"""Bytes kept in this process; what comes beyond them waits at the server, until that closes the connection."""

_LOOK = 0.2
"""Seconds between two looks whether to end."""

_QUIET = 10.0
"""Seconds without a message after which the server is asked whether it is there, and then given as many to answer."""


class PubSubSubscription(Subscription):
    """A thread takes what arrives, whether there is room for it or not: Redis cuts off who does not listen.

    Args:
        server: where.
        channel: its name.
        consumer_id: unique; shown in CLIENT LIST.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it refuses the password.
    """

    def __init__(self, server: RedisAt, channel: str, consumer_id: str) -> None:
        self._server = server
        self._channel = channel
        self._tokens = count()
        self._changed = threading.Condition()
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._interrupted = False
        self._closed = False
        self._error: FsdfError | None = None
        self._line, _ = server.line(NAME + quote(consumer_id, safe=""))
        self._listen()

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Return what has arrived.

        Raises:
            BrokerUnavailable: the connection broke; `reconnect` mends it. What is published meanwhile is lost.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._waiting and not self._interrupted:
                if self._error is not None:
                    raise self._error
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            self._interrupted = False
            batch = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
            self._bytes -= _size(batch)
            self._changed.notify_all()
            return batch

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Do nothing: what was delivered is nowhere else."""

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:  # noqa: ARG002 - the core delays
        """Deliver the messages once more to this consumer alone, after what has arrived: others had their own."""
        with self._changed:
            self._waiting.extend(deliveries)
            self._bytes += _size(deliveries)
            self._changed.notify_all()

    def resend(self, messages: Sequence[OutgoingMessage]) -> bool:
        """Deliver the messages to this consumer alone: to publish them would give every other one a copy too."""
        self.requeue([Delivery(message.body, next(self._tokens)) for message in messages])
        return True

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put the messages back in front."""
        with self._changed:
            self._waiting.extendleft(sorted(deliveries, key=lambda delivery: -delivery.token))
            self._bytes += _size(deliveries)
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Make a waiting `receive` return at once."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def reconnect(self) -> None:
        """Listen again."""
        if self._error is not None and not self._closed:
            self._thread.join(5.0)
            self._listen()

    def close(self) -> None:
        """Listen no more; what waits in this process is gone."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(5.0)
        self._line.close()

    def _listen(self) -> None:
        connection = self._line.connection
        with self._server.translated():
            connection.disconnect()
            connection.connect()
            connection.send_command("SUBSCRIBE", self._channel)
            # Only then nothing that is published passes by.
            connection.read_response()
        self._error = None
        self._thread = threading.Thread(
            target=self._run, args=(connection,), name=f"fsdf-redis-pubsub-{self._channel}", daemon=True
        )
        self._thread.start()

    def _run(self, connection: Any) -> None:
        heard = time.monotonic()
        asked = False
        try:
            with self._server.translated():
                while self._has_room():
                    silent = time.monotonic() - heard
                    if connection.can_read(timeout=_LOOK):
                        kind, *_, body = connection.read_response()
                        if kind == b"message":
                            self._arrived(body)
                        heard, asked = time.monotonic(), False
                    elif silent > 2 * _QUIET:
                        raise BrokerUnavailable(f"Redis at {self._server.shown} does not answer")
                    elif silent > _QUIET and not asked:
                        asked = True
                        connection.send_command("PING")
        except FsdfError as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _has_room(self) -> bool:
        """Wait for room; False at the end."""
        with self._changed:
            while not self._closed and self._bytes >= _MOST_BYTES:
                self._changed.wait(_LOOK)
            return not self._closed

    def _arrived(self, body: bytes) -> None:
        with self._changed:
            self._waiting.append(Delivery(body, next(self._tokens)))
            self._bytes += len(body)
            self._changed.notify()


def _size(deliveries: Sequence[Delivery]) -> int:
    return sum(len(delivery.body) for delivery in deliveries)
