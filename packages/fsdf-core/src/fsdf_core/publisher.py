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
from fsdf_core.errors import ConfigurationError, EncodeError, UnsupportedFeature
from fsdf_core.message import EXTRA, STAMPS, Message
from fsdf_core.resend import PRIORITY
from fsdf_core.task_id import new_task_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_core.broker import Queue
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
        self._plain_stampers = [stamp for stamp in self._stampers if not stamp.__self__.options_only]
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
            delay: seconds before it may be delivered.
            priority: 0 (low) and up.

        Returns:
            The message as sent; or, if a control dropped it, as it would have been, with `settlement`.

        Raises:
            EncodeError: an argument is not JSON data, or is called "extra".
            UnsupportedFeature: the broker has no delay, or no priorities.
            BrokerError: the broker did not accept it.
        """
        message = self._stamped(arguments, extra, delay, priority)
        if message.settlement is None:
            try:
                self.queue.send((self._outgoing(message),))
            except BaseException:
                self._withdraw((message,))
                raise
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
            messages = self._stamped_many(batch, delay, priority)
            self._send([message for message in messages if message.settlement is None] if self._stampers else messages)
            sent += messages
        return sent

    def send_raw(self, body: bytes | str) -> None:
        """Send a body as it is: no control data, no check."""
        self.queue.send((OutgoingMessage(body.encode() if isinstance(body, str) else body),))

    def _stamped_many(
        self, batch: Sequence[dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]], delay: float, priority: int
    ) -> list[Message]:
        messages: list[Message] = []
        try:
            for call in batch:
                arguments, extra = call if isinstance(call, tuple) else (call, None)
                messages.append(self._stamped(arguments, extra, delay, priority))
        except BaseException:
            self._withdraw([message for message in messages if message.settlement is None])
            raise
        return messages

    def _send(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        try:
            self.queue.send([self._outgoing(message) for message in messages])
        except BaseException:
            self._withdraw(messages)
            raise

    def _withdraw(self, messages: Sequence[Message], stampers: Sequence[Any] | None = None) -> None:
        """Let controls forget messages that are not sent: those that have stamped, by default all."""
        for stamp in self._stampers if stampers is None else stampers:
            for message in messages:
                stamp.__self__.withdraw(message)

    def _outgoing(self, message: Message) -> OutgoingMessage:
        if EXTRA in message.arguments:
            raise EncodeError(f"an argument cannot be called {EXTRA!r}: the name is reserved for control data")
        delay, priority = message.delay, message.priority
        if delay or priority:
            delay = self._checked(message)
        if self.queue.serializes:
            return OutgoingMessage(encode(message.arguments, message.extra), delay, priority)
        extra = message.extra
        if (*extra,) == STAMPS:
            return OutgoingMessage(({**message.arguments}, *extra.values(), message.queue_name), delay, priority)
        return OutgoingMessage(({**message.arguments}, extra), delay, priority)

    def _checked(self, message: Message) -> float:
        """Return the delay for the broker, after a look at what it can do."""
        broker = self.queue.broker
        if message.priority:
            if not broker.capabilities.priority:
                raise UnsupportedFeature(
                    f"{type(broker).__name__} has no priorities: leave it out, or choose another broker_kind"
                )
            message.extra.setdefault(PRIORITY, message.priority)
        if not message.delay or broker.capabilities.delay:
            return message.delay
        if not any(message.extra.get(key) is not None for key in ("countdown", "eta")):
            raise UnsupportedFeature(
                f"{type(broker).__name__} has no delay of its own: publish with extra={{'countdown': seconds}} and "
                "consume with the control fsdf_control.Delay, or choose another broker_kind"
            )
        return 0.0  # the consumer puts it off

    def _stamped(self, arguments: dict[str, Any], extra: dict[str, Any] | None, delay: float, priority: int) -> Message:
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
        message = Message(arguments, stamps, None, self.queue.name)
        message.delay = delay
        message.priority = priority
        if stampers := self._stampers if extra else self._plain_stampers:
            self._stamp(message, stampers)
        return message

    def _stamp(self, message: Message, stampers: Sequence[Any]) -> None:
        for number, stamp in enumerate(stampers):
            try:
                verdict = stamp(message)
            except BaseException:
                self._withdraw([message], stampers[:number])
                raise
            if verdict is not None:
                self._withdraw([message], stampers[:number])
                message.settlement = verdict
                return

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
