"""The servers that tests can use, as data. A new server is one more row."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Server:
    """A server program.

    Attributes:
        name: what tests and messages call it.
        executables: programs of which any one, on the PATH, means that it is installed.
        apt: Debian and Ubuntu packages that hold it.
        hints: how to get it without root or without apt, by `sys.platform` ("linux", "darwin", "win32").
    """

    name: str
    executables: tuple[str, ...]
    apt: tuple[str, ...]
    hints: dict[str, str] = field(default_factory=dict)

    def executable(self) -> str | None:
        """Return the program's path, None if it is not installed."""
        return next(filter(None, map(shutil.which, self.executables)), None)


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
)


def server(name: str) -> Server:
    """Return the row of that name."""
    return next(row for row in SERVERS if row.name == name)
