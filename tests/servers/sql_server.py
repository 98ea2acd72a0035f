"""PostgreSQL and MariaDB for tests: what they accepted survives `kill()`, but no power cut."""

from __future__ import annotations

import shutil
import signal
import socket
import struct
import subprocess
import uuid
from pathlib import Path

from tests.servers.own_user import own_folder, own_user
from tests.servers.process import ServerProcess

_TIMEOUT = 60


class PostgreSQLServer(ServerProcess):
    """A server on 127.0.0.1 that trusts everybody; `remove()` it in the end.

    Args:
        executable: path of `postgres`; its other programs are beside it.
        options: further configuration, such as {"max_connections": "10"}.
    """

    def __init__(self, executable: str, options: dict[str, str] | None = None) -> None:
        self._programs = Path(executable).resolve().parent
        user = own_user("postgres")
        self.folder = own_folder("postgresql", user)
        data = str(self.folder / "data")
        words = [self._programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        _run(words, user, self.folder)
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
            **(options or {}),
        }
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        super().__init__(
            lambda port: [executable, "-D", data, "-p", str(port), *arguments],
            _postgresql_answers,
            self.folder,
            user=user,
            stop_signal=signal.SIGINT,  # SIGTERM would wait for the clients
        )

    def database(self) -> str:
        """Return the URL of a new database."""
        name = f"test_{uuid.uuid4().hex}"
        words = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name]
        _run([self._programs / "createdb", *words], None, self.folder)
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class MariaDBServer(ServerProcess):
    """A server on 127.0.0.1 whose root has no password; `remove()` it in the end.

    Args:
        executable: path of `mariadbd`.
        options: further configuration, such as {"max-allowed-packet": "1M"}.
    """

    def __init__(self, executable: str, options: dict[str, str] | None = None) -> None:
        user = own_user("mysql")
        self.folder = own_folder("mariadb", user)
        data = f"--datadir={self.folder / 'data'}"
        install = _beside(executable, "mariadb-install-db")
        words = ["--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"]
        _run([install, *words], user, self.folder)
        self._client = _beside(executable, "mariadb")
        settings = {
            "bind-address": "127.0.0.1",
            "socket": str(self.folder / "socket"),
            "pid-file": str(self.folder / "pid"),
            "innodb-flush-log-at-trx-commit": "2",
            "innodb-buffer-pool-size": "32M",
            **(options or {}),
        }
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        super().__init__(
            lambda port: [executable, "--no-defaults", data, f"--port={port}", "--skip-log-bin", *arguments],
            _mariadb_answers,
            self.folder,
            user=user,
        )

    def database(self) -> str:
        """Return the URL of a new database."""
        name = f"test_{uuid.uuid4().hex}"
        words = [
            "--no-defaults",
            "-h",
            "127.0.0.1",
            "-P",
            str(self.port),
            "-u",
            "root",
            "-e",
            f"CREATE DATABASE {name}",
        ]
        _run([self._client, *words], None, self.folder)
        return f"mariadb://root@127.0.0.1:{self.port}/{name}"

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _beside(executable: str, name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(Path(executable).resolve().parent))
    assert found is not None, f"{executable} is there, but no {name}: hatch run servers"
    return found


def _run(words: list[str | Path], user: str | None, folder: Path) -> None:
    done = subprocess.run(words, user=user, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _postgresql_answers(port: int) -> bool:
    body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(struct.pack("!i", len(body) + 4) + body)
        return connection.recv(1) == b"R"


def _mariadb_answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        # The greeting's fifth byte is the protocol, 255 an error.
        return connection.recv(5)[4:] == b"\x0a"
