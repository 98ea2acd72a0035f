"""One consumer's hold on a queue of Redis."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from itertools import count, repeat
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import redis

from fsdf_brokers.redis.lease import CONNECTED, NAME, UNSEEN, Lease
from fsdf_brokers.redis.located import Elsewhere
from fsdf_brokers.redis.scripts import ADMIT
from fsdf_core.broker import Delivery, Subscription
from fsdf_core.errors import FsdfError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_brokers.redis.keys import Keys
    from fsdf_brokers.redis.layout import Layout
    from fsdf_brokers.redis.scripts import Script
    from fsdf_brokers.redis.server import RedisAt

_MOST = 5000
"""Most messages claimed at once: a script stops the whole server while it runs."""

_MOST_BYTES = 16 * 2**20

LOST = -2
"""A script's answer to a consumer that is none any more."""


class RedisSubscription(Subscription):
    """Claims by script; waits in a command that moves no message, or moves it into the consumer's own inbox.

    So a message is at every moment in a key of the server, and a consumer that dies anywhere loses none.

    Args:
        server: where.
        keys: the queue's keys.
        layout: how its messages are kept.
        consumer_id: unique.
        heartbeat_timeout: seconds until a heartbeat is stale.
        lease_limit: seconds without heartbeat after which a living consumer loses its messages.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it refuses the password, or is too old.
    """

    asks_ahead = True

    def __init__(
        self,
        server: RedisAt,
        keys: Keys,
        layout: Layout,
        consumer_id: str,
        heartbeat_timeout: float,
        lease_limit: float,
    ) -> None:
        self._server = server = server.at(keys.ready)
        self._keys = keys
        self._layout = layout
        self._id = quote(consumer_id, safe="")  # names of connections have no spaces
        self._inbox = keys.inbox(self._id)
        self._unacked = keys.unacked(self._id)
        self._wait_command = layout.wait(keys, self._inbox)
        self._interrupted = threading.Event()
        self._closed = False
        self._incarnation = 0
        self._next_token = 1
        self._doubtful = range(0)
        """Tokens of a claim whose answer was not read."""
        self._asked = False
        self._next_look = 0.0
        """Until then, what is not in the command's key need not be looked for."""
        self._line, named = server.line(NAME + self._id)
        self._evidence = CONNECTED if named else UNSEEN
        self._lease: Lease | None = None
        if layout.leased:
            self._lease = Lease(server, keys, layout.reclaim, self._id, heartbeat_timeout, lease_limit)
            self._evidence = self._lease.evidence
        with server.translated():
            self._admit()
            # Ask now for what receive() will need: a key of the right type, and a server that knows the commands.
            layout.size(self._line, (*keys.common, keys.beats))
            with suppress(redis.OutOfMemoryError):  # it knows the command; consuming makes room
                self._line.execute_command("BLMOVE", self._inbox, self._inbox, "LEFT", "RIGHT", 0.001)
        if self._lease is not None:
            self._lease.start()

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim messages.

        Raises:
            BrokerUnavailable: the connection broke; `reconnect` mends it.
        """
        deadline = time.monotonic() + timeout
        limit = min(limit, _MOST)
        with self._server.translated():
            while True:
                patience = min(self._next_look, deadline) - time.monotonic()
                try:
                    batch = self._take(limit, None if self._interrupted.is_set() else patience)
                except Elsewhere:
                    self.reconnect()
                    batch = []
                if batch or self._interrupted.is_set() or time.monotonic() >= deadline:
                    self._interrupted.clear()
                    return batch

    def ask_ahead(self, limit: int) -> int:
        """Begin a claim, if more may be ready."""
        if self._next_look or not self.asks_ahead:
            return 0
        limit = min(limit, _MOST)
        self._asked = True
        with suppress(redis.RedisError, FsdfError):  # the connection is closed, reading from it fails, too
            self._layout.take.send(self._line, *self._claim(limit))
        return limit

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages that still are this consumer's."""
        if deliveries:
            delete, tokens = self._layout.delete, [delivery.token for delivery in deliveries]
            with self._server.translated():
                if delete is None:
                    self._server.direct.execute_command("HDEL", self._unacked, *tokens)
                else:
                    delete(self._server.direct, (*self._keys.common, self._unacked), (self._id, *tokens))

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Put the messages at the end, or among the delayed ones."""
        if deliveries:
            tokens = [delivery.token for delivery in deliveries]
            with self._server.translated():
                keys = (*self._keys.common, self._unacked)
                self._layout.requeue(self._server.direct, keys, (self._id, int(delay * 1000), *tokens))
            self._next_look = 0.0

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put the messages back in front, uncounted."""
        if deliveries:
            with self._server.translated():
                self._release(self._server.direct, sorted(delivery.token for delivery in deliveries))
            self._next_look = 0.0

    def interrupt(self) -> None:
        """Make `receive` return within 0.2 s."""
        self._interrupted.set()

    def reconnect(self) -> None:
        """Enter anew, so that no call on the old connection claims any more; give back what one claimed."""
        with self._server.translated():
            if self._asked:
                self._asked = False
                if self._line.connection is not None:
                    self._line.connection.disconnect()
            self._admit()
            if self._doubtful:
                self._release(self._line, self._doubtful)
                self._doubtful = range(0)

    def close(self) -> None:
        """Give back everything; if the server is away, the end of the lease does it."""
        if self._closed:
            return
        self._closed = True
        if self._lease is not None:
            self._lease.stop()
        keys = self._keys
        try:
            with self._server.translated():
                own = (keys.beats, self._inbox, self._unacked, keys.sweeper)
                self._layout.leave(self._server.direct, (*keys.common, *own), (self._id,))
        except FsdfError as error:
            logging.getLogger(f"fsdf.{keys.ready}").warning(
                "could not say goodbye; what was not acknowledged comes back when the lease ends: %s", error
            )
        finally:
            self._line.close()

    def _admit(self) -> None:
        self._incarnation += 1
        ADMIT(
            self._line,
            (self._keys.consumers, self._keys.beats),
            (self._id, self._incarnation, self._evidence),
        )

    def _take(self, limit: int, patience: float | None) -> list[Delivery]:
        """Claim messages.

        Args:
            limit: most messages.
            patience: seconds to wait for one; not above 0 or None: look without waiting.
        """
        answer: Any
        if self._asked:
            self._asked = False
            answer = self._layout.take.answer(self._line) or ()
        else:
            answer = self._ask(self._layout.take, *self._claim(limit), patience)
        first = self._doubtful.start
        self._doubtful = range(0)
        wait, claims, bodies = answer if len(answer) > 1 else (LOST, (), ())
        return self._claimed(wait, bodies, count(first), claims)

    def _claim(self, limit: int) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        """Return keys and arguments of a claim; its tokens are used once, even if the answer is lost."""
        first = self._next_token
        self._next_token += limit
        self._doubtful = range(first, first + limit)
        keys = (*self._keys.common, self._inbox, self._unacked)
        return keys, (self._id, self._incarnation, limit, first, _MOST_BYTES)

    def _claimed(
        self, wait: int, bodies: Sequence[Any], tokens: Iterable[Any], claims: Sequence[int]
    ) -> list[Delivery]:
        """Make deliveries of what a script has answered; note when to look again."""
        self._next_look = 0.0
        if wait == LOST:
            if not self._closed:
                self._admit()
            return []
        batch = list(map(Delivery, bodies, tokens, repeat(1)))
        for delivery, number in zip(batch, claims, strict=False):
            delivery.delivery_count = number
        if wait:
            look = self._layout.look
            self._next_look = time.monotonic() + (look if wait < 0 else min(look, wait / 1000))
        return batch

    def _ask(self, script: Script, keys: Sequence[str], arguments: Sequence[Any], patience: float | None) -> Any:
        if patience is None or patience <= 0:
            return script(self._line, keys, arguments)
        patience = max(0.001, patience)
        refusal, answer = script.after(self._line, self._waiting(patience), keys, arguments)
        if isinstance(refusal, redis.OutOfMemoryError):
            # Scripts that only move messages still pass, so look again and again.
            if not any(answer[1:]):
                self._interrupted.wait(patience)
        elif refusal is not None:
            raise refusal
        return answer

    def _waiting(self, patience: float) -> tuple[Any, ...]:
        """Return the command that waits for a message."""
        return (*self._wait_command, patience)

    def _release(self, client: object, tokens: Sequence[int]) -> None:
        self._layout.release(client, (*self._keys.common, self._unacked), (self._id, *tokens))
