"""The web UI in this process, with the queues that are decorated here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf.boosters_manager import BoostersManager
from fsdf_core.errors import MissingDependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsdf_web import LocalQueue, WebServer


def start_web_manager(
    host: str | None = None,
    port: int | None = None,
    block: bool = False,  # noqa: FBT001, FBT002 - the known signature
    **names: Any,
) -> WebServer:
    """Serve the web UI, and print the link that opens it; see `fsdf_web.start_web_manager`.

    Queues of this process are shown even if nobody consumes them, those of MEMORY_QUEUE too.

    Args:
        host: address to listen at; default: `FSDF_WEB_HOST`, 127.0.0.1.
        port: default: `FSDF_WEB_PORT`, 27018; 0: a free one.
        block: serve in this thread; default: in one that keeps the process alive.
        **names: other settings of the UI, such as `token` and `no_auth`.

    Raises:
        MissingDependency: fsdf-web is not installed.
        ConfigurationError: a setting is not valid, or the port is taken.
    """
    try:
        from fsdf_web import start_web_manager as start  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingDependency(f"the web UI needs the library {error.name!r}: pip install fsdf[web]") from None
    return start(host, port, block=block, queues=local_queues, **names)


def local_queues() -> Iterator[LocalQueue]:
    """Yield the queues that are decorated in this process."""
    from fsdf.broker_kind import resolve_broker_kind  # noqa: PLC0415 - with the settings
    from fsdf.description import known_queue  # noqa: PLC0415 - as above
    from fsdf_core.settings import get_settings  # noqa: PLC0415 - as above
    from fsdf_web import LocalQueue  # noqa: PLC0415 - an extra

    for booster in BoostersManager.get_all_boosters():
        kind = resolve_broker_kind(booster.boost_params.broker_kind or get_settings().broker)
        yield LocalQueue(known_queue(booster.boost_params, kind), booster.publisher.queue)
