"""Web UI and HTTP API of fsdf.

`fsdf-web` serves it; `create_app` returns it as an ASGI app, to be mounted in another one.
"""

from typing import TYPE_CHECKING

from fsdf_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from fsdf_web.app import create_app
    from fsdf_web.config import WebSettings
    from fsdf_web.manager import start_web_manager
    from fsdf_web.queue_directory import LocalQueue
    from fsdf_web.serve import WebServer

__version__ = "0.1.0"

__all__ = ["LocalQueue", "WebServer", "WebSettings", "__version__", "create_app", "start_web_manager"]

# Imported when they are used: FastAPI takes long.
_HOMES = {
    "LocalQueue": "fsdf_web.queue_directory",
    "WebServer": "fsdf_web.serve",
    "WebSettings": "fsdf_web.config",
    "create_app": "fsdf_web.app",
    "start_web_manager": "fsdf_web.manager",
}

__getattr__ = lazy_names(__name__, _HOMES)
