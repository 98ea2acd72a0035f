"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsdf_web.security.roles import Role

if TYPE_CHECKING:
    from starlette.types import Scope

    from fsdf_web.security.sessions import Session

_KEY = "fsdf.visitor"


@dataclass(frozen=True)
class Visitor:
    """The one behind a request.

    Attributes:
        role: None: nobody who is known.
        address: where they come from.
        session: of a browser; None if the request carried a token itself, or needs none.
    """

    role: Role | None
    address: str
    session: Session | None = None

    @property
    def is_admin(self) -> bool:
        """Whether they may change things."""
        return self.role is Role.ADMIN

    @property
    def name(self) -> str:
        """What the audit log calls them: role, and the beginning of the session's id."""
        if self.role is None:
            return "nobody"
        return f"{self.role.value} {self.session.id[:6] if self.session else 'by token'}"


def remember(scope: Scope, visitor: Visitor) -> None:
    """Let `visitor_of` find the visitor."""
    scope[_KEY] = visitor


def visitor_of(scope: Scope) -> Visitor:
    """Return who asks; nobody before the guard has looked."""
    found = scope.get(_KEY)
    return found if isinstance(found, Visitor) else Visitor(None, address_of(scope))


def address_of(scope: Scope) -> str:
    """Return the address the request comes from; "" if the server cannot tell."""
    client = scope.get("client")
    return str(client[0]) if client else ""
