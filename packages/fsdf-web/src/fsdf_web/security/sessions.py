"""Sessions of browsers: a signed cookie, and the mark against requests that other sites forge."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_web.security.roles import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.clock import Clock
    from fsdf_core.state import StateStore
    from fsdf_web.security.tokens import Tokens

LIFETIME = 12 * 3600.0
"""Seconds that a session lasts."""

_KEY = "fsdf:web:session-key"
_ENDED = "fsdf:web:ended-session:"


@dataclass(frozen=True)
class Session:
    """Somebody who has logged in.

    Attributes:
        id: random.
        role: what they may do.
        expires: seconds since the epoch.
        csrf: what a request that changes something must carry in the header `X-CSRF-Token`.
    """

    id: str
    role: Role
    expires: float
    csrf: str


class Sessions:
    """Makes and reads the cookie's value: the session and an HMAC-SHA256 over it.

    The key is random, kept in the state store, so that all processes of one installation know each other's
    sessions; the tokens go into it, so that another token ends all sessions.

    Args:
        store: gives the state store; called at each use.
        tokens: those in force.
        clock: the time.
    """

    def __init__(self, store: Callable[[], StateStore], tokens: Tokens, clock: Clock = SYSTEM_CLOCK) -> None:
        self._store = store
        self._tokens = tokens
        self._clock = clock
        self._key = b""

    @property
    def cookie_name(self) -> str:
        """The cookie's name; it differs between installations, as cookies do not heed ports."""
        return f"fsdf_session_{self._sign(b'name')[:8]}"

    def open(self, role: Role) -> tuple[Session, str]:
        """Return a new session and the cookie's value.

        Raises:
            StateError: the state store cannot be reached.
        """
        session = self._session(secrets.token_urlsafe(16), role, self._clock.time() + LIFETIME)
        body = orjson.dumps({"id": session.id, "role": session.role.value, "expires": session.expires})
        text = base64.urlsafe_b64encode(body).decode()
        return session, f"{text}.{self._sign(text.encode())}"

    def read(self, value: str) -> Session | None:
        """Return the session of a cookie; None if it is forged, too old or has been ended.

        Raises:
            StateError: the state store cannot be reached.
        """
        text, _, signature = value.partition(".")
        if not hmac.compare_digest(self._sign(text.encode()).encode(), signature.encode()):
            return None
        try:
            data = orjson.loads(base64.urlsafe_b64decode(text))
            session = self._session(data["id"], Role(data["role"]), float(data["expires"]))
        except (ValueError, KeyError, TypeError, binascii.Error):
            return None
        if session.expires < self._clock.time() or self._store().get([_ENDED + session.id])[0] is not None:
            return None
        return session

    def end(self, session: Session) -> None:
        """Let the cookie count no more, in every process.

        Raises:
            StateError: the state store cannot be reached.
        """
        self._store().set({_ENDED + session.id: b"1"}, LIFETIME)

    def _session(self, session_id: str, role: Role, expires: float) -> Session:
        return Session(session_id, role, expires, self._sign(f"csrf {session_id}".encode()))

    def _sign(self, text: bytes) -> str:
        if not self._key:
            store = self._store()
            store.add({_KEY: secrets.token_bytes(32)})
            kept = store.get([_KEY])[0] or b""
            tokens = f"{self._tokens.admin}\n{self._tokens.reader or ''}".encode()
            self._key = hmac.digest(kept, tokens, "sha256")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
