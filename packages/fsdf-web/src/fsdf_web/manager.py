"""The web UI within a process of the user's own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from fsdf_web.config import WebSettings
from fsdf_web.serve import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsdf_web.queue_directory import LocalQueue


def start_web_manager(
    host: str | None = None,
    port: int | None = None,
    *,
    block: bool = False,
    queues: Callable[[], Iterable[LocalQueue]] = tuple,
    **names: Any,
) -> WebServer:
    """Serve the web UI, and print the link that opens it.

    Args:
        host: address to listen at; default: `FSDF_WEB_HOST`, 127.0.0.1.
        port: default: `FSDF_WEB_PORT`, 27018; 0: a free one.
        block: serve in this thread until SIGINT or SIGTERM; default: in one that keeps the process alive.
        queues: names queues of this process.
        **names: the other settings of `WebSettings`, such as `token` and `no_auth`.

    Returns:
        The server; its `stop()` ends it.

    Raises:
        ConfigurationError: a setting is not valid, or the port is taken.
    """
    server = WebServer(web=WebSettings.read(host=host, port=port, **names), queues=queues)
    if not block:
        server.start(daemon=False)
    print_link(server)
    if block:
        server.run()
    return server


def print_link(server: WebServer) -> None:
    """Print the link with the token to the terminal, never to a log."""
    sys.stderr.write(f"fsdf-web: {server.link}\n")
    sys.stderr.flush()
