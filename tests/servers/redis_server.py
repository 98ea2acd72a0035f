"""A redis-server for tests: no persistence unless asked for."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from tests.servers.process import ServerProcess

if TYPE_CHECKING:
    from pathlib import Path


class RedisServer(ServerProcess):
    """A redis-server on 127.0.0.1.

    Args:
        executable: path of redis-server.
        folder: where it runs and keeps its files.
        aof: append-only file, written before each answer: accepted messages survive `kill()` and `start()`.
        options: further configuration, such as {"maxmemory": "10mb"}.
    """

    def __init__(
        self, executable: str, folder: Path, *, aof: bool = False, options: dict[str, str] | None = None
    ) -> None:
        settings = {
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "yes" if aof else "no",
            "appendfsync": "always",
            "dir": str(folder),
            **(options or {}),
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        super().__init__(lambda port: [executable, "--port", str(port), *words], _answers, folder)

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self, *words: str, password: str = "") -> bytes:
        """Send one command without a client library; return the start of the raw answer."""
        return _ask(self.port, *words, password=password)


def _answers(port: int) -> bool:
    answer = _ask(port, "PING")
    return answer.startswith((b"+PONG", b"-NOAUTH"))


def _ask(port: int, *words: str, password: str = "") -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        if password:
            connection.sendall(_packed("AUTH", password))
            connection.recv(65536)
        connection.sendall(_packed(*words))
        return connection.recv(65536)


def _packed(*words: str) -> bytes:
    request = b"*%d\r\n" % len(words)
    for word in map(str.encode, words):
        request += b"$%d\r\n%s\r\n" % (len(word), word)
    return request
