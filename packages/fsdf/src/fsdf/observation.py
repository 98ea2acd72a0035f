"""Metrics and traces of all tasks, if the settings ask for them."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from fsdf_control.metrics import MetricsServer
    from fsdf_core.control import Control

_logger = logging.getLogger("fsdf")


def observers() -> list[Control]:
    """Return the controls that measure and trace; none by default.

    The first call with the setting `metrics_port` starts the process's endpoint.

    Raises:
        MissingDependency: a library is not installed.
        ConfigurationError: no port is free.
    """
    settings = get_settings()
    controls: list[Control] = []
    if settings.metrics_port is not None:
        from fsdf_control.metrics import PrometheusMetrics  # noqa: PLC0415 - its library is an extra

        _serve(settings.metrics_port, settings.metrics_address)
        controls.append(PrometheusMetrics())
    if settings.tracing:
        from fsdf_control.tracing import Tracing  # noqa: PLC0415 - as above

        controls.append(Tracing())
    return controls


def _serve(port: int, address: str) -> None:
    from fsdf_control.metrics import serve_metrics  # noqa: PLC0415 - as above

    with _starting:
        if not _servers:
            _servers.append(serve_metrics(port, address))
            _logger.info("metrics are served at http://%s:%d/metrics", address, _servers[0].port)


def _reset() -> None:
    global _starting  # noqa: PLW0603 - another thread may have held it at the fork
    _starting = threading.Lock()
    _inherited.extend(_servers)
    _servers.clear()


_starting = threading.Lock()
_servers: list[MetricsServer] = []
_inherited: list[MetricsServer] = []
"""Endpoints of a parent process, whose threads a forked child does not have."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)
