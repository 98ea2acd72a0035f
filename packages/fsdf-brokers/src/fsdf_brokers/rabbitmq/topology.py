"""What belongs to a queue on the server: itself, its exchange, and the helper queues of its delays.

A delayed message waits in a helper queue whose messages all live for the same time and are then dead-lettered to
where they belong, so no message waits behind one with more time. The helper expires a minute after its last
message; it is declared anew before a message is put on it.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import ConfigurationError, UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_brokers.rabbitmq.link import Link

_MARGIN = 60.0
"""Seconds that a helper queue outlives its last message."""

_DECLARED_FOR = 20.0
"""Seconds for which a declaration of a helper queue is good."""

_LONGEST = 2**32 / 1000 - 2 * _MARGIN
"""Seconds: RabbitMQ counts milliseconds in 32 bits."""

EXCHANGE_TYPES = ("direct", "fanout", "topic", "headers")


@dataclass(frozen=True)
class Exchange:
    """An exchange that producers publish to and the queue is bound to.

    Attributes:
        name: the exchange's name.
        kind: direct, fanout, topic or headers.
        durable: survives the server.
        bind_key: routing key of the binding; may have * and # on a topic exchange.
        publish_key: routing key of messages that name none.
        bind_headers: what a headers exchange compares, and what messages carry.
        match: "all" or "any" of the headers must agree.
    """

    name: str
    kind: str
    durable: bool
    bind_key: str
    publish_key: str
    bind_headers: Mapping[str, Any]
    match: str

    def declare(self, link: Link, queue: str) -> None:
        """Create the exchange and the binding."""
        link.declare_exchange(self.name, self.kind, durable=self.durable)
        headers = {**self.bind_headers, "x-match": self.match} if self.kind == "headers" else {}
        link.bind(queue, self.name, self.bind_key, headers)


@dataclass
class Topology:
    """A queue and what belongs to it.

    Attributes:
        queue: its name.
        durable: survives the server.
        arguments: its x-arguments; without any, a queue that exists is taken as it is.
        exchange: None is the default exchange, which routes by the queue's name.
        declared_on: what stands for the producers' connection on which it was declared; None if it was not.
    """

    queue: str
    durable: bool = True
    arguments: Mapping[str, Any] = field(default_factory=dict)
    exchange: Exchange | None = None
    declared_on: object = None
    _helpers: dict[str, float] = field(default_factory=dict)

    @property
    def quorum(self) -> bool:
        """Whether the server counts deliveries."""
        return self.arguments.get("x-queue-type") == "quorum"

    @property
    def top_priority(self) -> int:
        """The highest priority asked for; 0 if none."""
        return int(self.arguments.get("x-max-priority") or 0)

    @property
    def helpers(self) -> list[str]:
        """Names of the helper queues that this process has used."""
        return list(self._helpers)

    def declare(self, link: Link) -> None:
        """Create the queue, its exchange and its binding, as far as they are missing.

        Raises:
            ConfigurationError: there are such, with other options.
        """
        if self.arguments or link.count(self.queue) is None:
            link.declare(self.queue, dict(self.arguments), durable=self.durable)
        if self.exchange is not None:
            self.exchange.declare(link, self.queue)

    def helper(self, delay: float, exchange: str, routing_key: str) -> str:
        """Return the name of the helper queue for a delay in seconds.

        Raises:
            UnsupportedFeature: the delay is longer than 49 days.
        """
        if delay > _LONGEST:
            raise UnsupportedFeature(f"RabbitMQ delays for 49 days at most, not for {delay / 86400:.0f}")
        name = f"{self.queue}.delay.{_rounded(delay)}"
        return f"{name}.{exchange}.{routing_key}" if exchange else name

    def declare_helper(self, link: Link, delay: float, exchange: str, routing_key: str) -> None:
        """Create the helper queue of a delay, or keep it alive."""
        name = self.helper(delay, exchange, routing_key)
        milliseconds = _rounded(delay)
        arguments = {
            "x-message-ttl": milliseconds,
            "x-expires": milliseconds + int(_MARGIN * 1000),
            "x-dead-letter-exchange": exchange,
            "x-dead-letter-routing-key": routing_key,
        }
        if self.quorum:
            arguments |= {
                "x-queue-type": "quorum",
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            }
        elif self.top_priority:
            arguments["x-max-priority"] = self.top_priority
        link.declare(name, arguments, durable=True)
        self._helpers[name] = time.monotonic()

    def helper_is_fresh(self, name: str) -> bool:
        """Whether a message may be put on the helper queue without declaring it."""
        return time.monotonic() - self._helpers.get(name, -math.inf) < _DECLARED_FOR

    def forget_helper(self, name: str) -> None:
        """Note that the helper queue has expired."""
        self._helpers.pop(name, None)


def exchange_of(options: Mapping[str, Any], queue: str) -> Exchange:
    """Read the options of RABBITMQ_COMPLEX_ROUTING.

    Raises:
        ConfigurationError: one of them is missing or unknown.
    """
    name = options.get("exchange_name")
    if not name:
        raise ConfigurationError("RABBITMQ_COMPLEX_ROUTING needs the queue option exchange_name")
    kind = options.get("exchange_type") or "direct"
    if kind not in EXCHANGE_TYPES:
        raise ConfigurationError(f"unknown exchange_type {kind!r}: use one of {', '.join(EXCHANGE_TYPES)}")
    match = options.get("x_match_for_bind") or "all"
    if match not in {"all", "any"}:
        raise ConfigurationError(f"unknown x_match_for_bind {match!r}: use 'all' or 'any'")
    bind_key = options.get("routing_key_for_bind")
    publish_key = options.get("routing_key_for_publish")
    return Exchange(
        name=name,
        kind=kind,
        durable=bool(options.get("exchange_declare_durable", True)),
        bind_key=queue if bind_key is None else bind_key,
        publish_key=queue if publish_key is None else publish_key,
        bind_headers=options.get("headers_for_bind") or {},
        match=match,
    )


def _rounded(delay: float) -> int:
    """Round a delay up to three digits under 100 s and to four above, in milliseconds.

    So fixed delays are exact, all are less than 1 % late, and those of many different times share queues.
    """
    milliseconds = max(1, math.ceil(round(delay * 1000, 3)))
    digits = 3 if milliseconds < 100_000 else 4  # noqa: PLR2004 - as said above
    step = int(10 ** max(0, len(str(milliseconds)) - digits))
    return math.ceil(milliseconds / step) * step
