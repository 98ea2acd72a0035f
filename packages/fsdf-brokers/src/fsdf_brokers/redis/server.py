"""A Redis server as the adapters see it: its connections, and its errors in fsdf's words."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from fsdf_core.errors import BrokerError, BrokerUnavailable, ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRYABLE = (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError)

_CONNECT_TIMEOUT = 5.0
_ANSWER_TIMEOUT = 20.0
_REFUSED = (
    redis.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.NoPermissionError,
)
_AWAY = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "UNBLOCKED", "READONLY", "BUSY ")
_lines: weakref.WeakSet[Any] = weakref.WeakSet()


class RedisAt:
    """The server at a URL; connects when first used. Thread-safe.

    Args:
        url: redis://, rediss:// or unix://, with user and password if need be; they are never printed.

    Raises:
        ConfigurationError: it is no URL of Redis.
    """

    def __init__(self, url: str) -> None:
        self.shown = masked(url)
        self._url = url
        self._lock = threading.Lock()
        self._shared: Any = None
        self._client()

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
                client = self._client(single_connection_client=True, client_name=name)
            except redis.exceptions.NoPermissionError:
                named = False
                client = self._client(single_connection_client=True)
        _lines.add(client)
        return client, named

    def close(self) -> None:
        """Close the shared connections."""
        with self._lock:
            if self._shared is not None:
                self._shared.close()
                self._shared = None

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
            raise BrokerUnavailable(
                f"Redis at {self.shown} is not available: {error}. Does it run, is FSDF_REDIS_URL right?"
            ) from error
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
                f"a key of this queue's name on Redis at {self.shown} is no list: choose another queue_name"
            )
        if "unknown command" in text:
            return ConfigurationError(f"Redis at {self.shown} is too old, 6.2 or newer is needed: {text}")
        if text.startswith(_AWAY):
            return BrokerUnavailable(f"Redis at {self.shown} is not available: {text}")
        return BrokerError(f"Redis at {self.shown}: {text}")

    def _client(self, **options: Any) -> Any:
        try:
            return redis.Redis.from_url(
                self._url,
                socket_connect_timeout=_CONNECT_TIMEOUT,
                socket_timeout=_ANSWER_TIMEOUT,
                socket_keepalive=True,
                # A script whose answer was lost must not run again by itself: its tokens would be used twice.
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                **options,
            )
        except (ValueError, TypeError):
            raise ConfigurationError(
                f"{self.shown} is no URL of Redis: use redis://user:password@host:6379/0 (rediss:// for TLS)"
            ) from None


def masked(url: str) -> str:
    """Return the URL without password and options."""
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return "the given URL"
    if not parts.scheme:
        return "the given URL"
    if parts.username or parts.password:
        place = f"{parts.username or ''}:***@{place}"
    return f"{parts.scheme}://{place}{parts.path}"


def _close_after_fork() -> None:
    """A forked child must not keep its parent's named connections open: they would outlive the parent."""
    for client in list(_lines):
        if client.connection is not None:
            client.connection.disconnect()
    _lines.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_after_fork)
