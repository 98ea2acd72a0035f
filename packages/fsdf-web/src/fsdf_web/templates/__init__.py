"""Turns data into HTML; everything that is put in is escaped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse
from tzlocal import get_localzone_name

from fsdf_web import __version__
from fsdf_web.hub import hub_of
from fsdf_web.i18n import language_of, translated
from fsdf_web.security.visitor import visitor_of
from fsdf_web.templates.formats import brief, duration, moment, pretty, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

_WORDS = {
    "login": "Log in again.",
    "done": "Done",
    "choose": "Choose something first.",
    "number": "This is no number.",
    "json": "This is no JSON.",
    "successes": "successes",
    "failures": "failures",
    "mean": "mean time (ms)",
    "backlog": "backlog",
}
"""What scripts say."""

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # whatever a file is called
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Return a page.

    Args:
        request: whose visitor, prefix and language count.
        template: a file beside this one.
        context: what it shows.
        status: the HTTP status.
    """
    language = language_of(request)
    root = str(request.scope.get("root_path", ""))
    zone = hub_of(request).settings.timezone
    text = _environment.get_template(template).render(
        {
            "root": root,
            "zone": zone or get_localzone_name(),
            "version": __version__,
            "language": language,
            "visitor": visitor_of(request.scope),
            "path": request.url.path[len(root) :] or "/",
            "query": request.url.query,
            "now": time.time(),
            "_": lambda words, **values: translated(words, language).format(**values),
            "moment": lambda seconds: moment(seconds, zone),
            "words": orjson.dumps({key: translated(text, language) for key, text in _WORDS.items()}).decode(),
            **context,
        }
    )
    return HTMLResponse(text, status)


_environment.filters.update(duration=duration, pretty=pretty, brief=brief, size=size)
