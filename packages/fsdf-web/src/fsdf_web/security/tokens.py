"""The two secrets that open the door."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from fsdf_core.errors import ConfigurationError
from fsdf_web.security.roles import Role

SHORTEST = 12
"""Characters below which a token is refused: a machine guesses it."""


@dataclass(frozen=True)
class Tokens:
    """One token for each role.

    Attributes:
        admin: default: random, new at each start.
        reader: None: nobody is a reader (default).

    Raises:
        ConfigurationError: a token has less than 12 characters, or both are the same.
    """

    admin: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    reader: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, token in (("FSDF_WEB_TOKEN", self.admin), ("FSDF_WEB_READ_TOKEN", self.reader)):
            if token is not None and len(token) < SHORTEST:
                raise ConfigurationError(
                    f"{name} has less than {SHORTEST} characters: take one of "
                    "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
                )
        if self.admin == self.reader:
            raise ConfigurationError("FSDF_WEB_TOKEN and FSDF_WEB_READ_TOKEN are the same: readers would be admins")

    def role_of(self, token: str) -> Role | None:
        """Return the role that a token gives, or None; takes as long for a near miss as for any other."""
        given = token.encode("utf-8", "surrogatepass")
        is_admin = hmac.compare_digest(given, self.admin.encode())
        is_reader = self.reader is not None and hmac.compare_digest(given, self.reader.encode())
        if is_admin:
            return Role.ADMIN
        return Role.READER if is_reader else None
