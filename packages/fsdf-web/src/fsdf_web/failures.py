"""What an error of fsdf is in HTTP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from fsdf_core import errors

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

_logger = logging.getLogger("fsdf.web")

_STATUS: tuple[tuple[type[errors.FsdfError], int], ...] = (
    (errors.UnknownName, 404),
    (errors.UnsupportedFeature, 409),
    (errors.MissingDependency, 503),
    (errors.ConfigurationError, 400),
    (errors.MessageError, 400),
    (errors.BrokerError, 503),
    (errors.StateError, 503),
    (errors.FsdfError, 400),
)


def status_of(error: errors.FsdfError) -> int:
    """Return the HTTP status that tells the error."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def answer_failures(app: FastAPI) -> None:
    """Let every FsdfError be answered as JSON with its text, and anything else without."""

    @app.exception_handler(errors.FsdfError)
    def told(request: Request, error: Exception) -> Response:  # noqa: ARG001 - FastAPI's signature
        status = status_of(error) if isinstance(error, errors.FsdfError) else 500
        return JSONResponse({"detail": str(error)}, status)

    @app.exception_handler(Exception)
    def untold(request: Request, error: Exception) -> Response:
        _logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JSONResponse({"detail": "this failed; the server's log says why"}, 500)
