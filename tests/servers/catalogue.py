"""The servers that tests can use, as data. A new server is one more row."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import ferretdb_build, kafka_server

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Server:
    """A server program.

    Attributes:
        name: what tests and messages call it.
        executables: programs of which any one, on the PATH, means that it is installed.
        apt: Debian and Ubuntu packages that hold it.
        folders: patterns of folders under / to look in besides the PATH.
        install: gets what apt does not hold; called after apt.
        hints: how to get it without root or without apt, by `sys.platform` ("linux", "darwin", "win32").
    """

    name: str
    executables: tuple[str, ...]
    apt: tuple[str, ...]
    folders: tuple[str, ...] = ()
    install: Callable[[], None] | None = None
    hints: dict[str, str] = field(default_factory=dict)

    def executable(self) -> str | None:
        """Return the program's path, None if it is not installed."""
        places = [
            None,
            *(folder for pattern in self.folders for folder in sorted(Path("/").glob(pattern), reverse=True)),
        ]
        found = (shutil.which(name, path=place) for place in places for name in self.executables)
        return next(filter(None, found), None)


SERVERS = (
    Server(
        name="redis",
        executables=("redis-server", "valkey-server"),
        apt=("redis-server",),
        hints={
            "linux": "sudo apt-get install redis-server, or: conda install -c conda-forge redis-server",
            "darwin": "brew install redis",
            "win32": "install WSL (wsl --install) and run the tests in it",
        },
    ),
    Server(
        name="openssl",  # the program: it makes the certificates of tests
        executables=("openssl",),
        apt=("openssl",),
        hints={
            "linux": "sudo apt-get install openssl, or: conda install -c conda-forge openssl",
            "darwin": "brew install openssl",
            "win32": "install WSL (wsl --install) and run the tests in it",
        },
    ),
    Server(
        name="postgresql",
        executables=("postgres",),
        apt=("postgresql",),
        folders=("usr/lib/postgresql/*/bin",),
        hints={
            "linux": "sudo apt-get install postgresql, or: conda install -c conda-forge postgresql",
            "darwin": "brew install postgresql",
            "win32": "install WSL (wsl --install) and run the tests in it",
        },
    ),
    Server(
        name="mariadb",
        executables=("mariadbd",),
        apt=("mariadb-server",),
        folders=("usr/sbin",),
        hints={
            "linux": "sudo apt-get install mariadb-server, or: conda install -c conda-forge mariadb",
            "darwin": "brew install mariadb",
            "win32": "install WSL (wsl --install) and run the tests in it",
        },
    ),
    Server(
        name="sshd",
        executables=("sshd",),
        apt=("openssh-server",),
        folders=("usr/sbin",),
        hints={
            "linux": "sudo apt-get install openssh-server, or: conda install -c conda-forge openssh",
            "darwin": "it is there: /usr/sbin/sshd",
            "win32": "install WSL (wsl --install) and run the tests in it",
        },
    ),
    Server(
        name="kafka",
        executables=(kafka_server.PROGRAM,),
        apt=("openjdk-17-jre-headless", "maven"),
        folders=(kafka_server.home().as_posix().lstrip("/"),),
        install=kafka_server.install,
        hints={
            "linux": "install Java 17 and Maven, then: python -m tests.servers kafka",
            "darwin": "brew install openjdk@17 maven, then: python -m tests.servers kafka",
            "win32": "install WSL (wsl --install) and run the tests in it",
        },
    ),
    Server(
        name="rabbitmq",
        executables=("rabbitmq-server",),
        apt=("rabbitmq-server",),
        folders=("usr/sbin",),
        hints={
            "linux": "sudo apt-get install rabbitmq-server, or: conda install -c conda-forge rabbitmq-server",
            "darwin": "brew install rabbitmq",
            "win32": "install WSL (wsl --install) and run the tests in it",
        },
    ),
    Server(
        name="chromium",  # the browser: it opens the web UI
        executables=("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        apt=("chromium",),
        hints={
            "linux": "sudo apt-get install chromium, or install any Chromium or Chrome",
            "darwin": "brew install --cask chromium",
            "win32": "install Chrome, and put its folder on the PATH",
        },
    ),
    Server(
        name="mongodb",
        executables=(ferretdb_build.PROGRAM,),
        apt=("golang-go",),
        folders=(ferretdb_build.home().as_posix().lstrip("/"),),
        install=ferretdb_build.install,
        hints={
            "linux": "install Go, then: python -m tests.servers mongodb",
            "darwin": "brew install go, then: python -m tests.servers mongodb",
            "win32": "install WSL (wsl --install) and run the tests in it",
        },
    ),
)


def server(name: str) -> Server:
    """Return the row of that name."""
    return next(row for row in SERVERS if row.name == name)
