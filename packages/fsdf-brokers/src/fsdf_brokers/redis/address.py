"""URLs of Redis: what to connect to, with which options, and how to show it.

    redis://user:password@host:6379/0             one server; rediss:// with TLS
    unix:///run/redis.sock?db=0                   one server by its socket
    redis+sentinel://user:password@host1:26379,host2:26379/<service>/0    the master, by Sentinels
    redis+cluster://user:password@host1:7000,host2:7001                   a cluster, by some of its nodes

`rediss+sentinel` and `rediss+cluster` speak TLS with everybody. After `?` come options of redis-py's connections, such
as `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs=none`; of Sentinels also `sentinel_username` and
`sentinel_password`, their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import redis
from redis.connection import Connection, SSLConnection, parse_url

from fsdf_core.errors import ConfigurationError

_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
_PORTS = {"sentinel": 26379, "cluster": 6379}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:@/,\s]+)(?::(\d{1,5}))?")
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_ca_path")
_FORMS = "use redis://user:password@host:6379/0 (rediss:// for TLS), unix://, redis+sentinel:// or redis+cluster://"


@dataclass(frozen=True)
class Address:
    """A URL, understood.

    Attributes:
        shown: the URL without password and options.
        kind: "server", "sentinel" or "cluster".
        hosts: of Sentinels or nodes.
        service: the name that Sentinels know the master by.
        connection: redis-py's class of connections.
        options: that class's arguments, of the server.
        guard: those that differ for a Sentinel.
    """

    shown: str
    kind: str
    hosts: tuple[tuple[str, int], ...]
    service: str
    connection: type[Connection]
    options: dict[str, Any] = field(repr=False)
    guard: dict[str, Any] = field(repr=False)


def parse(url: str) -> Address:
    """Return what the URL says.

    Raises:
        ConfigurationError: it is no URL of Redis, or names a file that is not there.
    """
    shown = masked(url)
    scheme = url.partition("://")[0]
    if scheme not in _SCHEMES:
        raise ConfigurationError(f"{shown} is no URL of Redis: {_FORMS}")
    plain, _, kind = scheme.partition("+")
    service = ""
    hosts: tuple[tuple[str, int], ...] = ()
    try:
        if kind:
            parts = urlsplit(url)
            users, at, names = parts.netloc.rpartition("@")
            hosts = tuple(_host(name, _PORTS[kind]) for name in names.split(","))
            service, path = _service(shown, parts.path) if kind == "sentinel" else ("", parts.path)
            url = f"{plain}://{users}{at}host{path}?{parts.query}"
        options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    except ConfigurationError:
        raise
    except ValueError:
        raise ConfigurationError(f"{shown} is no URL of Redis: {_FORMS}") from None
    connection: type[Connection] = options.pop("connection_class", Connection)
    guard = {"username": options.pop("sentinel_username", None), "password": options.pop("sentinel_password", None)}
    if kind == "cluster" and options.get("db"):
        raise ConfigurationError(f"{shown}: a cluster has only database 0, leave the number out")
    _check(shown, connection, options)
    return Address(shown, kind or "server", hosts, service, connection, options, {**guard, "db": 0})


def masked(url: str) -> str:
    """Return the URL without password and options."""
    scheme, separator, rest = url.partition("://")
    visible = re.split("[?#]", rest, maxsplit=1)[0]
    place, slash, path = visible.partition("/")
    user, at, hosts = place.rpartition("@")
    # An @ after the hosts may be the end of a password that should have been quoted.
    if not separator or "@" in path or (not at and "@" in rest):
        return "the given URL"
    if hosts and not all(map(_HOST.fullmatch, hosts.split(","))):
        return "the given URL"
    secret = f"{user.partition(':')[0]}:***@" if at else ""
    return f"{scheme}://{secret}{hosts}{slash}{path}"


def _host(text: str, port: int) -> tuple[str, int]:
    match = _HOST.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match[1].strip("[]"), int(match[2] or port)


def _service(shown: str, path: str) -> tuple[str, str]:
    """Return the service and the path of the database."""
    service, _, number = path.strip("/").partition("/")
    if not service or not (number or "0").isdigit():
        raise ConfigurationError(
            f"{shown} names no service: use redis+sentinel://host1:26379,host2:26379/mymaster/0, with the name that "
            "the Sentinels' configuration gives the master"
        )
    return unquote(service), f"/{number}"


def _check(shown: str, connection: type[Connection], options: dict[str, Any]) -> None:
    if not issubclass(connection, SSLConnection) and any(name.startswith("ssl_") for name in options):
        raise ConfigurationError(f"{shown} has options of TLS but speaks none: use rediss:// in place of redis://")
    for name in _FILES:
        if options.get(name) is not None and not Path(options[name]).exists():
            raise ConfigurationError(f"{shown}: there is no {options[name]}, which {name} names")
    try:
        connection(**options)
    except (TypeError, ValueError, redis.RedisError) as error:
        match = re.search(r"argument '(\w+)'", str(error))
        names = (
            match[1] if match else ", ".join(sorted(options.keys() - {"username", "password", "host", "port", "db"}))
        )
        raise ConfigurationError(f"{shown} has an option that redis-py does not take: {names}") from None
