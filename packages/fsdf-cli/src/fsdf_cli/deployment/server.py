"""A server to deploy to, and the connection to it."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsdf_cli.deployment.errors import DeploymentError, HostKeyRefused
from fsdf_core.errors import ConfigurationError, MissingDependency

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEEP_ALIVE = 15
_GREETING = 60
_ADDRESS = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[^\]\s]+\]|[^@:\[\]\s]+)(?::(?P<port>\d+))?")


@dataclasses.dataclass(frozen=True)
class Server:
    """A server and how to log in there. What is None comes from `~/.ssh/config`.

    Attributes:
        host: name or address.
        port: of sshd; default 22.
        user: login name.
        password: for the login; default: keys of the agent and of `~/.ssh`.
        key: file of a private key.
        passphrase: of that file.
        host_key: the server's public key ("ssh-ed25519 AAAA…") or its fingerprint ("SHA256:…"); nothing else is
            accepted then. Default: as `known_hosts` says.
        check_host_key: False accepts any server; whoever is between can then read and change everything.
        known_hosts: file of known servers; default `~/.ssh/known_hosts`.
        connect_timeout: seconds; default 15.
    """

    host: str
    port: int | None = None
    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    key: str | Path | None = None
    passphrase: str | None = dataclasses.field(default=None, repr=False)
    host_key: str | None = None
    check_host_key: bool = True
    known_hosts: str | Path | None = None
    connect_timeout: float = 15.0

    @classmethod
    def parse(cls, address: str, **others: Any) -> Server:
        """Return the server "[user@]host[:port]".

        Raises:
            ConfigurationError: it is no such address.
        """
        found = _ADDRESS.fullmatch(address)
        if found is None:
            raise ConfigurationError(f"a server is written [user@]host[:port], not {address!r}")
        port = int(found["port"]) if found["port"] else None
        return cls(found["host"].strip("[]"), port, found["user"], **others)

    @contextlib.contextmanager
    def connected(self) -> Iterator[Any]:
        """Give a `fabric.Connection` that is open.

        Raises:
            MissingDependency: fabric is not installed.
            HostKeyRefused: the server is not the expected one.
            DeploymentError: it cannot be reached, or refuses the login.
        """
        fabric = _library("fabric")
        # A busy server greets late.
        kwargs: dict[str, Any] = {"banner_timeout": _GREETING, "auth_timeout": _GREETING}
        if self.password is not None or self.key is not None:
            # Else a key that lies about is tried first, and too many of them end the connection.
            kwargs |= {"look_for_keys": False, "allow_agent": False}
        if self.password is not None:
            kwargs["password"] = self.password
        if self.key is not None:
            path = Path(self.key).expanduser()
            if not path.is_file():
                raise ConfigurationError(f"there is no key file {path}")
            kwargs["key_filename"] = [str(path)]
        if self.passphrase is not None:
            kwargs["passphrase"] = self.passphrase
        connection = fabric.Connection(
            self.host, user=self.user, port=self.port, connect_timeout=self.connect_timeout, connect_kwargs=kwargs
        )
        connection.client.set_missing_host_key_policy(self._policy(connection))
        try:
            self._open(connection)
            connection.transport.set_keepalive(_KEEP_ALIVE)
            yield connection
        except (OSError, EOFError, _library("paramiko").SSHException) as error:
            raise DeploymentError(f"{self.host}: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()

    def _policy(self, connection: Any) -> Any:
        paramiko = _library("paramiko")
        if not self.check_host_key:
            return paramiko.AutoAddPolicy()
        client = connection.client
        if self.host_key is None:
            with contextlib.suppress(FileNotFoundError):
                path = Path(self.known_hosts or "~/.ssh/known_hosts").expanduser()
                client.load_system_host_keys(str(path))
        elif not self.host_key.startswith("SHA256:"):
            name = connection.host if connection.port == _SSH else f"[{connection.host}]:{connection.port}"
            entry = paramiko.hostkeys.HostKeyEntry.from_line(f"{name} {self.host_key}")
            if entry is None:
                raise ConfigurationError("host_key is a public key (ssh-ed25519 AAAA…) or a fingerprint (SHA256:…)")
            client.get_host_keys().add(name, entry.key.get_name(), entry.key)
        return _Expected(self.host_key)

    def _open(self, connection: Any) -> None:
        paramiko = _library("paramiko")
        where = f"{connection.user}@{connection.host}:{connection.port}"
        try:
            connection.open()
        except paramiko.BadHostKeyException as error:
            raise _refused(error.hostname, error.key, known=True) from None
        except paramiko.PasswordRequiredException:
            raise DeploymentError(f"the key file {self.key} needs its passphrase") from None
        except paramiko.AuthenticationException:
            means = "password" if self.password is not None else f"key {self.key}" if self.key else "keys"
            raise DeploymentError(f"{where} refuses the {means}: check user, password and key") from None
        except paramiko.SSHException as error:
            raise DeploymentError(f"{where} cannot be logged in to: {error}") from None
        except (OSError, EOFError) as error:
            raise DeploymentError(f"{where} cannot be reached: {str(error) or type(error).__name__}") from None


_SSH = 22


class _Expected:
    """Paramiko's policy for servers that its lists of known ones do not have."""

    def __init__(self, fingerprint: str | None) -> None:
        self._fingerprint = fingerprint

    def missing_host_key(self, _client: Any, hostname: str, key: Any) -> None:
        if key.fingerprint != self._fingerprint:
            raise _refused(hostname, key, known=self._fingerprint is not None)


def _refused(host: str, key: Any, *, known: bool) -> HostKeyRefused:
    found = f"its {key.get_name()} key has the fingerprint {key.fingerprint}"
    if known:
        return HostKeyRefused(
            f"{host} is not the server that is known: {found}. If it was set up anew, correct known_hosts or host_key"
        )
    return HostKeyRefused(
        f'{host} is not known: {found}. If that is right, log in once with ssh, or give host_key="{key.fingerprint}"'
    )


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingDependency(f"deploying needs the library {error.name!r}: pip install fsdf[deploy]") from None
