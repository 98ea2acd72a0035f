"""The web UI's own settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fsdf_core.errors import ConfigurationError
from fsdf_web.security.hosts import LOOPBACK, is_loopback
from fsdf_web.security.tokens import Tokens


class WebSettings(BaseSettings):
    """Read from arguments and from the environment, `FSDF_WEB_<NAME>`; an empty variable is not set.

    Attributes:
        host: address to listen at. Default 127.0.0.1.
        port: default 27018; 0: a free one.
        token: the admins' token, at least 12 characters; None (default): `fsdf-web` makes one at each start.
        read_token: the readers'; None (default): there are none.
        allowed_hosts: names by which browsers reach the UI, with commas between; `*.example.com` is every name
            below, `*` any. This machine's own names and `host` are always allowed.
        no_auth: let everybody on this machine be an admin; only with a `host` that nobody else reaches.
        language: "en" or "zh"; None (default): what the browser prefers.
    """

    model_config = SettingsConfigDict(env_prefix="FSDF_WEB_", extra="ignore", frozen=True, env_ignore_empty=True)

    host: str = "127.0.0.1"
    port: int = Field(default=27018, ge=0, le=65535)
    token: SecretStr | None = None
    read_token: SecretStr | None = None
    allowed_hosts: str = ""
    no_auth: bool = False
    language: Literal["en", "zh"] | None = None

    @classmethod
    def read(cls, **names: object) -> WebSettings:
        """Return the settings; arguments that are None are left out.

        Raises:
            ConfigurationError: a value is not valid, or `no_auth` would let others in.
        """
        try:
            found = cls(**{name: value for name, value in names.items() if value is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            faults = "; ".join(f"FSDF_WEB_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
            raise ConfigurationError(f"the web UI's settings are not valid: {faults}") from None
        if found.no_auth and not is_loopback(found.host):
            raise ConfigurationError(
                f"no_auth works on this machine's own addresses only, not on {found.host}: "
                "leave it out, or bind 127.0.0.1"
            )
        return found

    def tokens(self) -> Tokens | None:
        """Return the tokens; None if no admin's token is set."""
        if self.token is None:
            if self.read_token is not None:
                return Tokens(reader=self.read_token.get_secret_value())
            return None
        reader = self.read_token.get_secret_value() if self.read_token else None
        return Tokens(self.token.get_secret_value(), reader)

    def hosts(self) -> tuple[str, ...]:
        """Return the names that a `Host` header may have."""
        named = [name.strip().lower() for name in self.allowed_hosts.split(",")]
        own = [] if self.host in {"0.0.0.0", "::"} else [self.host.lower()]  # noqa: S104 - it is compared
        return tuple(dict.fromkeys([*LOOPBACK, *own, *filter(None, named)]))
