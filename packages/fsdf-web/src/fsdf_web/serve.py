"""Serving the web UI alone."""

from __future__ import annotations

import secrets
import signal
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from pydantic import SecretStr

from fsdf_control.scheduling import Scheduler
from fsdf_core.errors import ConfigurationError
from fsdf_web.app import create_app
from fsdf_web.config import WebSettings
from fsdf_web.services.schedules import run_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from fsdf_core.settings import Settings
    from fsdf_web.events import ChangeWatch
    from fsdf_web.hub import Hub
    from fsdf_web.queue_directory import LocalQueue

_START_WITHIN = 30.0
_BACKLOG = 512


class WebServer:
    """The UI on uvicorn, in this thread (`run`) or in one of its own (`start`).

    Args:
        settings: as `create_app`.
        web: as `create_app`; without a token, one is made.
        queues: as `create_app`.
        behind_proxy: believe `X-Forwarded-For` and `X-Forwarded-Proto` of a proxy on this machine. Default False.
        run_schedules: publish what is scheduled, if no other process does. Default False.

    Raises:
        ConfigurationError: a setting is not valid, or the port is taken.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        web: WebSettings | None = None,
        *,
        queues: Callable[[], Iterable[LocalQueue]] = tuple,
        behind_proxy: bool = False,
        run_schedules: bool = False,
    ) -> None:
        web = web or WebSettings.read()
        if web.token is None and not web.no_auth:
            web = web.model_copy(update={"token": SecretStr(secrets.token_urlsafe(32))})
        self._web = web
        app = create_app(settings, web, queues=queues)
        self._hub: Hub = app.state.hub
        self._scheduler = Scheduler(self._hub.schedules(), partial(run_now, self._hub)) if run_schedules else None
        self._socket = _bound(web.host, web.port)
        self.port: int = self._socket.getsockname()[1]
        """Where it listens."""
        self._changes: ChangeWatch = app.state.changes
        self._server = _Server(
            self._changes,
            uvicorn.Config(
                app,
                # Its access log would show tokens in links.
                access_log=False,
                log_level="warning",
                server_header=False,
                proxy_headers=behind_proxy,
                timeout_graceful_shutdown=5,
                lifespan="off",
            ),
        )
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where browsers find it."""
        host = self._web.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - it is compared
            host = "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @property
    def link(self) -> str:
        """The URL with the admin's token, for the one who started it."""
        token = "" if self._web.token is None else self._web.token.get_secret_value()
        return self.url if self._web.no_auth else f"{self.url}login?token={token}"

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM, and return."""
        if self._scheduler is not None:
            self._scheduler.start()
        # uvicorn raises what it has caught again, for whoever stood there before.
        main = threading.current_thread() is threading.main_thread()
        before = {number: signal.signal(number, self._caught) for number in (signal.SIGINT, signal.SIGTERM) if main}
        try:
            self._server.run([self._socket])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._close()

    def start(self, *, daemon: bool = True) -> None:
        """Serve in a thread `fsdf-web`; return once it answers.

        Args:
            daemon: whether the process may end while it serves; default True.

        Raises:
            ConfigurationError: it did not come up.
        """
        if self._scheduler is not None:
            self._scheduler.start()
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="fsdf-web", daemon=daemon)
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(_START_WITHIN / 0.02)):
            if self._server.started or not self._thread.is_alive():
                break
            waited.wait(0.02)
        if not self._server.started:
            raise ConfigurationError(f"the web UI did not start within {_START_WITHIN:.0f} s")

    def stop(self, timeout: float = 10.0) -> None:
        """End what `start` began."""
        self._changes.closing = True
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout)
        self._close()

    def _caught(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the standard library's
        self._server.should_exit = True

    def _close(self) -> None:
        if self._scheduler is not None:
            self._scheduler.stop()
        self._socket.close()
        self._hub.close()


class _Server(uvicorn.Server):
    def __init__(self, changes: ChangeWatch, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._changes = changes

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._changes.closing = True
        super().handle_exit(sig, frame)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(_BACKLOG)  # at once: who has read the link may come before the server is up
    except OSError as error:
        opened.close()
        raise ConfigurationError(
            f"the web UI cannot listen at {host}:{port}: {error.strerror}. Choose another port (--port, FSDF_WEB_PORT)"
        ) from None
    return opened
