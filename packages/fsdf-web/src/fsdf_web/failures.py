"""What an error of fsdf is in HTTP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from fsdf_core import errors
from fsdf_web.security.guard import route_path
from fsdf_web.templates import render

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
    """Let every FsdfError be told: as JSON by the API, as a page to people; anything else is in the log only."""

    @app.exception_handler(errors.FsdfError)
    def told(request: Request, error: Exception) -> Response:
        status = status_of(error) if isinstance(error, errors.FsdfError) else 500
        return _answer(request, str(error), status)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: Exception) -> Response:
        status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
        response = _answer(request, str(getattr(error, "detail", "")), status)
        response.headers.update(headers or {})
        return response

    @app.exception_handler(Exception)
    def untold(request: Request, error: Exception) -> Response:
        _logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _answer(request, "this failed; the server's log says why", 500)


def _answer(request: Request, detail: str, status: int) -> Response:
    if route_path(request.scope).startswith("/api/") or "json" in request.headers.get("accept", ""):
        return JSONResponse({"detail": detail}, status)
    return render(request, "error.html", {"status": status, "detail": detail}, status)
