"""Which version a server is, and whether it is new enough."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fsdf_cli.checkup.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PATIENCE = 3


def version_of(url: str, title: str) -> Iterator[Finding]:
    """Yield what is to be said of the server at a URL; nothing if nobody here can ask it.

    Args:
        url: where it is.
        title: the same, without secrets.
    """
    scheme = url.partition(":")[0].partition("+")[0].lower()
    ask = _ASK.get(scheme)
    if ask is None:
        return
    product, oldest, asked = ask
    try:
        found = asked(url)
    except ImportError:
        return  # the broker's own check has said so
    except Exception as error:  # noqa: BLE001 - each library has errors of its own, which may tell the password
        yield Finding("fault", product, f"{title} does not tell its version: {type(error).__name__}", "look at its log")
        return
    numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    if numbers < oldest:
        needed = ".".join(map(str, oldest))
        yield Finding("risk", product, f"{title} is version {found}", f"fsdf is tested with {needed} and later")
    else:
        yield Finding("good", product, f"{title} is version {found}")


def _redis(url: str) -> str:
    library: Any = importlib.import_module("redis")
    client = library.Redis.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE)
    try:
        return str(client.info("server")["redis_version"])
    finally:
        client.close()


def _mongo(url: str) -> str:
    library: Any = importlib.import_module("pymongo")
    with library.MongoClient(url, serverSelectionTimeoutMS=_PATIENCE * 1000) as client:
        return str(client.server_info()["version"])


def _postgres(url: str) -> str:
    library: Any = importlib.import_module("psycopg")
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with library.connect(plain, connect_timeout=_PATIENCE) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def _rabbitmq(url: str) -> str:
    library: Any = importlib.import_module("amqpstorm")
    with library.UriConnection(f"{url}{'&' if '?' in url else '?'}timeout={_PATIENCE}") as connection:
        return str(connection._channel0.server_properties["version"])  # noqa: SLF001 - the only place that knows


_ASK: dict[str, tuple[str, tuple[int, int], Callable[[str], str]]] = {
    "redis": ("Redis", (6, 2), _redis),
    "rediss": ("Redis", (6, 2), _redis),
    "mongodb": ("MongoDB", (5, 0), _mongo),
    "postgresql": ("PostgreSQL", (13, 0), _postgres),
    "amqp": ("RabbitMQ", (3, 12), _rabbitmq),
    "amqps": ("RabbitMQ", (3, 12), _rabbitmq),
}
