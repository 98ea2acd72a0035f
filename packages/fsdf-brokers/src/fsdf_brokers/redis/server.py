"""A Redis server as the adapters see it: its connections, and its errors in fsdf's words."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import ConstantBackoff
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry

from fsdf_brokers.redis.address import masked, parse
from fsdf_brokers.redis.cluster import Nodes, SlotLocator, slot_of
from fsdf_brokers.redis.direct import Direct
from fsdf_brokers.redis.keys import Keys
from fsdf_brokers.redis.located import Elsewhere, connection_class
from fsdf_brokers.redis.packing import Packer
from fsdf_brokers.redis.sentinel import SentinelLocator
from fsdf_core.errors import BrokerError, BrokerUnavailable, ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsdf_brokers.redis.address import Address
    from fsdf_brokers.redis.located import Locator

__all__ = ["RETRYABLE", "RedisAt", "masked"]

RETRYABLE = (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError)

_CONNECT_TIMEOUT = 5.0
_ANSWER_TIMEOUT = 20.0
_ANSWER_TIMEOUT_IF_REPLACED = 5.0
"""A server that hangs has a successor where Sentinels or a cluster look after it."""
_REPEATS = 3
_CURE = "Does it run, is FSDF_REDIS_URL right? If it speaks TLS, use rediss://"
_CURE_TLS = (
    "Does it run, is FSDF_REDIS_URL right: its TLS port, and a client certificate (?ssl_certfile=…&ssl_keyfile=…) if "
    "the server wants one?"
)
_REFUSED = (
    redis.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.NoPermissionError,
)
_AWAY = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "UNBLOCKED", "READONLY", "BUSY ")
_lines: weakref.WeakSet[Any] = weakref.WeakSet()


class RedisAt:
    """The server at a URL; connects when first used. Thread-safe.

    With Sentinels, the master is asked for at every connection; on a cluster, `at` gives the node of a queue.

    Args:
        url: as `address` says, with user and password if need be; they are never printed.
        slot: of a cluster, `at` uses it.

    Attributes:
        shown: the URL without password and options.
        direct: runs commands for any thread, with answers as they come; quicker than `shared`.

    Raises:
        ConfigurationError: it is no URL of Redis.
    """

    def __init__(self, url: str, *, slot: tuple[Nodes, int] | None = None) -> None:
        self._url = url
        self._address = address = parse(url)
        self.shown = address.shown
        self._cure = _CURE_TLS if issubclass(address.connection, SSLConnection) else _CURE
        self._nodes: Nodes | None = None
        self._at_slots: dict[int, RedisAt] = {}
        locator: Locator | None = None
        if slot is not None:
            locator = SlotLocator(*slot)
        elif address.kind == "sentinel":
            locator = SentinelLocator(address, lambda host, command: _ask(address, host, command, address.guard))
        elif address.kind == "cluster":
            self._nodes = Nodes(address, lambda host, command: _ask(address, host, command, {}))
            locator = SlotLocator(self._nodes, None)
        self._connection_class = connection_class(address, locator)
        timeout = _ANSWER_TIMEOUT if locator is None else _ANSWER_TIMEOUT_IF_REPLACED
        self._options = {**_defaults(address, timeout), **address.options}
        self._lock = threading.Lock()
        self._shared: Any = None
        self.direct = Direct(self._connection)

    def at(self, key: str) -> RedisAt:
        """Return the server that holds a key, such as a queue's name, and all others of the same hash slot.

        On a cluster that is the slot's node at any time, wherever the slot moves; else it is this server. It is
        closed with this one.

        Raises:
            ConfigurationError: on a cluster, no other key can share the slot of this one.
        """
        if self._nodes is None:
            return self
        if "}" in key and not Keys(key).tagged:
            raise ConfigurationError(f"on a cluster the name {key!r} is not possible: leave {{ and }} out of it")
        slot = slot_of(key)
        with self._lock:
            if slot not in self._at_slots:
                self._at_slots[slot] = RedisAt(self._url, slot=(self._nodes, slot))
            return self._at_slots[slot]

    @property
    def shared(self) -> Any:
        """The client that threads share, with a pool of connections."""
        client = self._shared
        if client is None:
            with self._lock:
                client = self._shared
                if client is None:
                    client = self._shared = self._client()
        return client

    def line(self, name: str) -> tuple[Any, bool]:
        """Open a connection of its own, for one thread; it reconnects when used after a failure.

        Args:
            name: shown in CLIENT LIST as long as the process lives.

        Returns:
            The client, and whether its connection has the name (permissions may forbid it).
        """
        with self.translated():
            named = True
            try:
                client = self._client(single=True, client_name=name)
            except redis.exceptions.NoPermissionError:
                named = False
                client = self._client(single=True)
        _lines.add(client)
        return client, named

    def close(self) -> None:
        """Close the shared connections."""
        with self._lock:
            if self._shared is not None:
                self._shared.close()
                self._shared = None
            self.direct.close()
            others = list(self._at_slots.values())
        for other in others:
            other.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise fsdf's errors for those of the client library."""
        try:
            yield
        except _REFUSED as error:
            raise ConfigurationError(
                f"Redis at {self.shown} refuses: {error}. Check user, password and rights: FSDF_REDIS_URL"
            ) from None
        except RETRYABLE as error:
            text = str(error).rstrip(".")
            raise BrokerUnavailable(f"Redis at {self.shown} is not available: {text}. {self._cure}") from error
        except redis.RedisError as error:
            raise self._translate(str(error), error) from error

    def _translate(self, text: str, error: redis.RedisError) -> Exception:
        if isinstance(error, redis.OutOfMemoryError) or "OOM " in text:
            return StorageError(
                f"Redis at {self.shown} is full: {text}. Consume or delete messages, or raise maxmemory"
            )
        if "MISCONF" in text:
            return StorageError(f"Redis at {self.shown} cannot write to its disk: {text}")
        if "WRONGTYPE" in text:
            return ConfigurationError(
                f"a key of this queue's name on Redis at {self.shown} is of another type: choose another queue_name"
            )
        if "unknown command" in text:
            return ConfigurationError(f"Redis at {self.shown} is too old, 6.2 or newer is needed: {text}")
        if text.startswith(_AWAY):
            return BrokerUnavailable(f"Redis at {self.shown} is not available: {text}")
        return BrokerError(f"Redis at {self.shown}: {text}")

    def _connection(self) -> Any:
        return self._connection_class(**self._options)

    def _client(self, *, single: bool = False, **options: Any) -> Any:
        pool = redis.ConnectionPool(self._connection_class, **{**self._options, **options})
        client = redis.Redis(connection_pool=pool, single_connection_client=single)
        client.auto_close_connection_pool = True
        return client


def _defaults(address: Address, timeout: float) -> dict[str, Any]:
    tcp = {} if issubclass(address.connection, UnixDomainSocketConnection) else {"socket_keepalive": True}
    return {
        **tcp,
        "socket_connect_timeout": _CONNECT_TIMEOUT,
        "socket_timeout": timeout,
        # A script whose answer was lost must not run again by itself: its tokens would be used twice.
        "retry": Retry(ConstantBackoff(0.05), _REPEATS, (Elsewhere,)),
        "protocol": 2,
        "command_packer": Packer(),
    }


def _ask(address: Address, host: tuple[str, int], command: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Send one command over a connection of its own."""
    connection: Any = connection_class(address, None)(
        **{**_defaults(address, _CONNECT_TIMEOUT), **address.options, **options, "host": host[0], "port": host[1]}
    )
    try:
        connection.send_command(*command)
        return connection.read_response()
    finally:
        connection.disconnect()


def _close_after_fork() -> None:
    """A forked child must not keep its parent's named connections open: they would outlive the parent."""
    for client in list(_lines):
        if client.connection is not None:
            client.connection.disconnect()
    _lines.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_after_fork)
