"""Puts the parts together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from fsdf_core.errors import ConfigurationError
from fsdf_core.settings import get_settings
from fsdf_web import __version__
from fsdf_web.api import ROUTER
from fsdf_web.config import WebSettings
from fsdf_web.events import ChangeWatch
from fsdf_web.events import router as events
from fsdf_web.failures import answer_failures
from fsdf_web.hub import Hub
from fsdf_web.pages import PAGES
from fsdf_web.security.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsdf_core.settings import Settings
    from fsdf_web.queue_directory import LocalQueue

_STATIC = Path(__file__).parent / "static"


def create_app(
    settings: Settings | None = None,
    web: WebSettings | None = None,
    *,
    queues: Callable[[], Iterable[LocalQueue]] = tuple,
) -> FastAPI:
    """Return the web UI and HTTP API as an ASGI app, to be served alone or mounted under a prefix.

    Args:
        settings: where queues, state and records are; default: the process's settings.
        web: the UI's own; default: from the environment (`FSDF_WEB_TOKEN`, …).
        queues: names queues of this process besides those that are found in the stores.

    Raises:
        ConfigurationError: no token is set; a setting is not valid.
    """
    web = web or WebSettings.read()
    if web.token is None and not web.no_auth:
        raise ConfigurationError(
            "the web UI needs a token: set FSDF_WEB_TOKEN to at least 12 characters nobody guesses, "
            "or run it by fsdf-web, which makes one"
        )
    hub = Hub(settings or get_settings(), web, queues)
    app = FastAPI(
        title="fsdf",
        version=__version__,
        summary="Publish tasks, look at results, queues, workers and schedules.",
        openapi_url="/api/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
    )
    app.state.hub = hub
    app.state.changes = ChangeWatch(hub)
    answer_failures(app)
    app.include_router(ROUTER)
    for page in (events, *PAGES):
        app.include_router(page, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_middleware(Guard, door=hub.door, audit=hub.audit, allowed_hosts=web.hosts(), no_auth=web.no_auth)
    return app
