"""Logging in and out, and the language."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from fsdf_web.hub import hub_of
from fsdf_web.i18n import LANGUAGE_COOKIE, LANGUAGES
from fsdf_web.security.door import TooManyAttempts
from fsdf_web.security.sessions import LIFETIME
from fsdf_web.security.visitor import visitor_of
from fsdf_web.templates import render

if TYPE_CHECKING:
    from fsdf_web.security.roles import Role

router = APIRouter()
_YEAR = 365 * 86_400


@router.get("/login")
def show_login(request: Request, token: str = "", next: str = "/") -> Response:  # noqa: A002 - the field's name
    """Show the form; a ready link brings its token along."""
    if token:
        return _log_in(request, token, next)
    if visitor_of(request.scope).role is not None:
        return RedirectResponse(_local(request, next), 303)
    return render(request, "login.html", {"next": next, "failure": ""})


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Look at the form's token."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    token, target = (form.get(name, [""])[0] for name in ("token", "next"))
    return await run_in_threadpool(_log_in, request, token, target)


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End the session, here and for who may have copied the cookie."""
    session = visitor_of(request.scope).session
    response = Response(status_code=204)
    sessions = hub_of(request).door.sessions
    if session is not None:
        sessions.end(session)
    response.delete_cookie(sessions.cookie_name, path=_root(request) + "/")
    return response


@router.get("/language/{code}")
def choose_language(request: Request, code: str, next: str = "/") -> Response:  # noqa: A002 - the field's name
    """Keep the language in a cookie and go back."""
    response = RedirectResponse(_local(request, next), 303)
    if code in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, code, max_age=_YEAR, path=_root(request) + "/", samesite="strict")
    return response


def _log_in(request: Request, token: str, target: str) -> Response:
    hub = hub_of(request)
    try:
        role = hub.door.admit(token.strip(), visitor_of(request.scope).address)
    except TooManyAttempts as error:
        response = render(request, "login.html", {"next": target, "failure": str(error)}, 429)
        response.headers["Retry-After"] = str(int(error.wait) + 1)
        return response
    if role is None:
        return render(request, "login.html", {"next": target, "failure": "This token is not right."}, 401)
    return _with_session(request, role, target)


def _with_session(request: Request, role: Role, target: str) -> Response:
    sessions = hub_of(request).door.sessions
    _, value = sessions.open(role)
    # No redirect: after one that began at a link elsewhere, browsers would hold the strict cookie back.
    response = render(request, "enter.html", {"target": _local(request, target)})
    response.headers["Referrer-Policy"] = "no-referrer"  # the address may hold the token
    response.set_cookie(
        sessions.cookie_name,
        value,
        max_age=int(LIFETIME),
        path=_root(request) + "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _local(request: Request, target: str) -> str:
    """Return the path to go to, below our own prefix: never another site."""
    plain = target.startswith("/") and not any(mark in target for mark in ("//", "\\", "\n", "\r", "\t"))
    return _root(request) + (target if plain else "/")


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))
