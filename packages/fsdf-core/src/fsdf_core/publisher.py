"""The producer's side: stamp, encode, send."""

from __future__ import annotations

import datetime
import itertools
import zoneinfo
from time import time_ns
from typing import TYPE_CHECKING, Any

from fsdf_core.broker import OutgoingMessage
from fsdf_core.codec import encode
from fsdf_core.control import overriding
from fsdf_core.errors import ConfigurationError, EncodeError
from fsdf_core.message import EXTRA, Message
from fsdf_core.task_id import new_task_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_core.broker import Body, Queue
    from fsdf_core.control import Control

BATCH = 1000
"""How many messages `publish_many` sends at once."""


class Publisher:
    """Puts calls on a queue. Thread-safe; keeps no message back: what `publish` returned is accepted.

    Args:
        queue: where the messages go.
        controls: rules that stamp or refuse a message (`Control.on_publish`).
        timezone: IANA name for `publish_time_format`; None (default) is the machine's zone.

    Raises:
        ConfigurationError: the time zone is unknown.
    """

    def __init__(self, queue: Queue, *, controls: Sequence[Control] = (), timezone: str | None = None) -> None:
        self.queue = queue
        self._stampers = overriding(controls, "on_publish")
        self._zone = _zone(timezone)
        self._formatted = (0, "")

    def publish(
        self,
        arguments: dict[str, Any],
        extra: dict[str, Any] | None = None,
        *,
        delay: float = 0.0,
        priority: int = 0,
    ) -> Message:
        """Send one call.

        Args:
            arguments: the function's keyword arguments.
            extra: control data that goes with the message; its `task_id` is used if there is one.
            delay: seconds before it may be delivered; needs the capability `delay`.
            priority: 0 (low) and up; needs the capability `priority`.

        Returns:
            The message as sent.

        Raises:
            EncodeError: an argument is not JSON data, or is called "extra".
            BrokerError: the broker did not accept it.
        """
        message = self._stamped(arguments, extra)
        self.queue.send((OutgoingMessage(self._body(message), delay, priority),))
        return message

    def publish_many(
        self,
        calls: Iterable[dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]],
        *,
        delay: float = 0.0,
        priority: int = 0,
    ) -> list[Message]:
        """Send calls in batches of 1000; each is its arguments, or a pair (arguments, extra).

        Args:
            calls: what to send.
            delay: of all of them, as `publish`.
            priority: of all of them, as `publish`.

        Returns:
            The messages as sent, in order.

        Raises:
            EncodeError: as `publish`; earlier batches are sent.
            BrokerError: as `publish`; earlier batches are sent.
        """
        sent: list[Message] = []
        calls = iter(calls)
        while batch := list(itertools.islice(calls, BATCH)):
            messages = [
                self._stamped(*call) if isinstance(call, tuple) else self._stamped(call, None) for call in batch
            ]
            self.queue.send([OutgoingMessage(self._body(message), delay, priority) for message in messages])
            sent += messages
        return sent

    def send_raw(self, body: bytes | str) -> None:
        """Send a body as it is: no control data, no check."""
        self.queue.send((OutgoingMessage(body.encode() if isinstance(body, str) else body),))

    def _stamped(self, arguments: dict[str, Any], extra: dict[str, Any] | None) -> Message:
        now = time_ns()
        second = now // 1_000_000_000
        known, text = self._formatted
        stamps = {
            "task_id": new_task_id(),
            "publish_time": now // 100_000 / 10_000,
            "publish_time_format": text if known == second else self._format(second),
        }
        if extra:
            stamps.update(extra)
        message = Message(arguments, stamps)
        for stamp in self._stampers:
            stamp(message)
        return message

    def _body(self, message: Message) -> Body:
        if EXTRA in message.arguments:
            raise EncodeError(f"an argument cannot be called {EXTRA!r}: the name is reserved for control data")
        if self.queue.serializes:
            return encode(message.arguments, message.extra)
        return {**message.arguments, EXTRA: message.extra}

    def _format(self, second: int) -> str:
        text = datetime.datetime.fromtimestamp(second, self._zone).strftime("%Y-%m-%d %H:%M:%S")
        self._formatted = (second, text)
        return text


def _zone(name: str | None) -> datetime.tzinfo | None:
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(
            f"unknown time zone {name!r}: use an IANA name such as 'Europe/Berlin' (on Windows: pip install tzdata)"
        ) from None
