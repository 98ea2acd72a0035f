"""The one place where a token becomes a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.errors import FsdfError
from fsdf_web.security.attempts import Attempts
from fsdf_web.security.sessions import Sessions
from fsdf_web.security.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.state import StateStore
    from fsdf_web.security.roles import Role


class TooManyAttempts(FsdfError):
    """An address has tried too many wrong tokens.

    Attributes:
        wait: seconds until it may try again.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"too many wrong tokens: try again in {wait:.0f} s")
        self.wait = wait


class Door:
    """Tokens, sessions and the count of wrong guesses.

    Args:
        tokens: those in force; None: random ones.
        store: gives the state store.
        attempts: the count; default: 5 a minute and address.
    """

    def __init__(
        self, tokens: Tokens | None, store: Callable[[], StateStore], attempts: Attempts | None = None
    ) -> None:
        self.tokens = tokens or Tokens()
        self.sessions = Sessions(store, self.tokens)
        self._attempts = attempts or Attempts()

    def admit(self, token: str, address: str) -> Role | None:
        """Return the role that a token gives; None for a wrong one, which counts.

        Raises:
            TooManyAttempts: even a right one is not looked at now.
        """
        wait = self._attempts.wait(address)
        if wait > 0:
            raise TooManyAttempts(wait)
        role = self.tokens.role_of(token)
        if role is None:
            self._attempts.failed(address)
        return role
