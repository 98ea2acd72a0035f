"""The web UI in Flask, Django and other WSGI applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.errors import MissingDependency
from fsdf_web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsdf_core.settings import Settings
    from fsdf_web.config import WebSettings
    from fsdf_web.queue_directory import LocalQueue


def create_wsgi_app(
    settings: Settings | None = None,
    web: WebSettings | None = None,
    *,
    queues: Callable[[], Iterable[LocalQueue]] = tuple,
) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return the web UI as a WSGI app, to be mounted under a prefix (`SCRIPT_NAME`).

    WSGI servers cannot stream to many browsers, so pages ask every five seconds for what is new.

    Args:
        settings: as `create_app`.
        web: as `create_app`.
        queues: as `create_app`.

    Raises:
        MissingDependency: a2wsgi is not installed.
        ConfigurationError: as `create_app`.

    Example (Flask):
        >>> from werkzeug.middleware.dispatcher import DispatcherMiddleware  # doctest: +SKIP
        >>> app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/fsdf": create_wsgi_app()})  # doctest: +SKIP
    """
    try:
        from a2wsgi import ASGIMiddleware  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise MissingDependency(
            "mounting in a WSGI app needs the library 'a2wsgi': pip install fsdf-web[wsgi]"
        ) from None
    # Two libraries have different words for the same.
    app: Any = create_app(settings, web, queues=queues)
    mounted: Any = ASGIMiddleware(app)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # Some servers do not tell the port, without which the address would be lost.
        answer: Iterable[bytes] = mounted({"REMOTE_PORT": "0", **environ}, start_response)
        return answer

    return application
