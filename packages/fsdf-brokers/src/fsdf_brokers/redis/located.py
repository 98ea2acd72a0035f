"""Connections that ask for their server's address each time they connect."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Protocol

import redis

from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from redis.connection import Connection

    from fsdf_brokers.redis.address import Address

_NOWHERE = (redis.exceptions.AskError, redis.exceptions.ClusterDownError, redis.exceptions.TryAgainError)
"""There may be no right server yet: a slot is on the move, or its master is dead."""


class Elsewhere(redis.ConnectionError):
    """The command was not executed: another server is the master now."""


class Locator(Protocol):
    """Knows where the server is."""

    def locate(self) -> tuple[str, int]:
        """Return host and port, asked anew.

        Raises:
            redis.ConnectionError: nobody can tell at the moment.
            ConfigurationError: nobody will ever tell.
        """


class _Located:
    """Mixed into a class of connections."""

    locator: Locator | None = None
    shown = ""
    host: str
    port: int
    socket_timeout: float | None
    socket_connect_timeout: float | None

    def _connect(self) -> Any:
        if self.locator is not None:
            self.host, self.port = self.locator.locate()
        # The handshake of TLS counts as connecting: a server that speaks none never answers it.
        answer, self.socket_timeout = self.socket_timeout, self.socket_connect_timeout
        try:
            sock = super()._connect()  # type: ignore[misc]
        except ssl.SSLCertVerificationError as error:
            raise ConfigurationError(
                f"Redis at {self.shown}: its certificate is not trusted: {error.verify_message}. Give the file of the "
                "authority that signed it: ?ssl_ca_certs=/path/ca.pem"
            ) from None
        except ssl.SSLError as error:
            raise ConfigurationError(
                f"Redis at {self.shown} does not agree on TLS: {error.reason or error}. Is this its TLS port? Does it "
                "want a client certificate: ?ssl_certfile=…&ssl_keyfile=…? If it speaks no TLS, use redis://"
            ) from None
        finally:
            self.socket_timeout = answer
        sock.settimeout(answer)
        return sock

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except redis.ResponseError as error:
            self._leave(error)
            raise

    def _leave(self, error: redis.ResponseError) -> None:
        """Connect anew before the next command, if the answer says that this is the wrong server."""
        text = str(error)
        moved = isinstance(error, redis.ReadOnlyError | redis.exceptions.MovedError) or text.startswith("UNBLOCKED")
        if moved or isinstance(error, _NOWHERE):
            self.disconnect()  # type: ignore[attr-defined]
            raise (Elsewhere if moved else redis.ConnectionError)(f"{type(error).__name__} {text}") from error


def connection_class(address: Address, locator: Locator | None) -> type[Connection]:
    """Return the class of an address's connections."""
    bases = (_Located, address.connection)
    return type(f"Located{address.connection.__name__}", bases, {"locator": locator, "shown": address.shown})
