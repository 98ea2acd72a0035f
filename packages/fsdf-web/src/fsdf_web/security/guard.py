"""What stands before every page and call: host, origin, identity, role, size."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response

from fsdf_core.errors import StateError
from fsdf_web.security.body_limit import limited
from fsdf_web.security.door import TooManyAttempts
from fsdf_web.security.hosts import is_allowed, is_loopback, same_origin
from fsdf_web.security.response_headers import with_headers
from fsdf_web.security.roles import Role
from fsdf_web.security.visitor import Visitor, address_of, remember

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from fsdf_web.audit import Audit
    from fsdf_web.security.door import Door

_SAFE = {"GET", "HEAD", "OPTIONS"}
_OPEN = ("/login", "/static/")
_FOR_READERS = ("/logout",)
"""Requests that change nothing but the visitor's own browser."""


class Guard:
    """ASGI middleware.

    Args:
        app: what is guarded.
        door: who is who.
        audit: where requests that change something are noted.
        allowed_hosts: names that a `Host` header may have.
        no_auth: let everybody on this machine be an admin.
    """

    def __init__(
        self, app: ASGIApp, *, door: Door, audit: Audit, allowed_hosts: tuple[str, ...], no_auth: bool
    ) -> None:
        self._app = app
        self._door = door
        self._audit = audit
        self._allowed_hosts = allowed_hosts
        self._no_auth = no_auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        sending = with_headers(send)
        path = route_path(scope)
        headers = Headers(scope=scope)
        try:
            await run_in_threadpool(self._check, scope, headers, path)
        except Refused as refused:
            await refused.response(scope, receive, sending)
            return
        except StateError as error:
            await JSONResponse({"detail": f"the state store cannot be reached: {error}"}, 503)(scope, receive, sending)
            return
        guarded = limited(receive, headers)
        if scope["method"] in _SAFE:
            await self._app(scope, guarded, sending)
        else:
            await self._audit.watch(self._app, scope, guarded, sending)

    def _check(self, scope: Scope, headers: Headers, path: str) -> None:
        netloc = headers.get("host", "")
        if not is_allowed(netloc, self._allowed_hosts):
            raise Refused(400, "this name is not known here: name it in FSDF_WEB_ALLOWED_HOSTS if it is meant")
        changes = scope["method"] not in _SAFE
        if changes and _foreign(headers, netloc):
            raise Refused(403, "the request comes from another site")
        try:
            visitor = self._visitor(scope, headers)
        except TooManyAttempts as error:
            raise Refused(429, str(error), {"Retry-After": str(int(error.wait) + 1)}) from None
        remember(scope, visitor)
        if path.startswith(_OPEN):
            return
        if visitor.role is None:
            raise Refused(response=_to_login(scope, headers, path))
        if changes:
            _check_change(visitor, headers, path)

    def _visitor(self, scope: Scope, headers: Headers) -> Visitor:
        address = address_of(scope)
        if self._no_auth and is_loopback(address):
            return Visitor(Role.ADMIN, address)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return Visitor(self._door.admit(token.strip(), address), address)
        sessions = self._door.sessions
        cookies = cookie_parser(headers["cookie"]) if "cookie" in headers else {}
        value = cookies.get(sessions.cookie_name) if cookies else None
        session = sessions.read(value) if value else None
        return Visitor(session.role if session else None, address, session)


class Refused(Exception):
    """A request is not let through; `response` says why."""

    def __init__(
        self,
        status: int = 401,
        detail: str = "",
        headers: dict[str, str] | None = None,
        response: Response | None = None,
    ) -> None:
        super().__init__(detail)
        self.response = response or JSONResponse({"detail": detail}, status, headers)


def route_path(scope: Scope) -> str:
    """Return the path below the prefix at which the app is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    if path == root:
        return "/"
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _check_change(visitor: Visitor, headers: Headers, path: str) -> None:
    session = visitor.session
    if session is not None and not _same(headers.get("x-csrf-token", ""), session.csrf):
        raise Refused(403, "the header X-CSRF-Token is missing or not the session's")
    if not visitor.is_admin and path not in _FOR_READERS:
        raise Refused(403, "readers change nothing: use the admin's token")


def _foreign(headers: Headers, netloc: str) -> bool:
    """Whether a browser says that another site made the request; programs say nothing."""
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return True
    return "origin" in headers and not same_origin(headers["origin"], netloc)


def _to_login(scope: Scope, headers: Headers, path: str) -> Response:
    root = str(scope.get("root_path", ""))
    login = f"{root}/login"
    if path.startswith("/api/") or path == "/events" or scope["method"] not in _SAFE:
        return JSONResponse(
            {"detail": "a token is needed: Authorization: Bearer <token>"}, 401, {"WWW-Authenticate": "Bearer"}
        )
    if "hx-request" in headers:
        return Response(status_code=401, headers={"HX-Redirect": login})
    query = scope.get("query_string", b"").decode("latin-1")
    target = f"{path}?{query}" if query else path
    return RedirectResponse(login if target == "/" else f"{login}?next={quote(target, safe='')}", 303)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
