"""Where a RabbitMQ server is, read from its URL."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlsplit

from fsdf_core.errors import ConfigurationError

_PORTS = {"amqp": 5672, "amqps": 5671}
_TLS_OPTIONS = ("cafile", "certfile", "keyfile")


@dataclass(frozen=True)
class Address:
    """A server, a virtual host of it, and who we are there.

    Attributes:
        host: name or IP address.
        port: default 5672, with TLS 5671.
        user: default guest.
        password: never printed.
        virtual_host: default /.
        tls: "cafile", "certfile" and "keyfile" of an amqps:// URL; None without TLS.
        heartbeat: seconds after two of which without a sign of life the server gives up the connection.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    virtual_host: str
    tls: dict[str, str] | None
    heartbeat: int

    @property
    def shown(self) -> str:
        """The address without the password."""
        scheme = "amqp" if self.tls is None else "amqps"
        return f"{scheme}://{self.user}:***@{self.host}:{self.port}/{quote(self.virtual_host, safe='')}"

    def tls_context(self) -> ssl.SSLContext:
        """Return what an amqps:// connection is made with; the server must prove who it is.

        Raises:
            ConfigurationError: a file of the URL cannot be read.
        """
        files = self.tls or {}
        try:
            context = ssl.create_default_context(cafile=files.get("cafile"))
            if "certfile" in files:
                context.load_cert_chain(files["certfile"], files.get("keyfile"))
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"the TLS files of {self.shown} cannot be used: {error}") from None
        return context


def parse(url: str, heartbeat: int) -> Address:
    """Read amqp://user:password@host:port/virtual-host; amqps:// for TLS, with ?cafile=&certfile=&keyfile=.

    Raises:
        ConfigurationError: it is no such URL; does not repeat it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise _not_a_url() from None
    if not parts.hostname:
        raise _not_a_url()
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    tls = {name: given[name] for name in _TLS_OPTIONS if name in given}
    return Address(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/",
        tls=tls if parts.scheme == "amqps" else None,
        heartbeat=heartbeat,
    )


def _not_a_url() -> ConfigurationError:
    return ConfigurationError(
        "FSDF_RABBITMQ_URL is no URL of RabbitMQ: use amqp://user:password@host:5672/%2F (amqps:// for TLS)"
    )
