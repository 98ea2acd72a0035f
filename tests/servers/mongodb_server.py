"""A server that speaks MongoDB's protocol, for tests: FerretDB over SQLite."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

from tests.servers.process import ServerProcess

USER, PASSWORD = "alice", "alice-secret"


class MongoDBServer(ServerProcess):
    """A server on 127.0.0.1; what it accepted survives `kill()`, but no power cut.

    Args:
        executable: path of `ferretdb`.
        folder: where it runs and keeps its files.
        auth: whether clients must say who they are: `USER` with `PASSWORD`.
    """

    def __init__(self, executable: str, folder: Path, *, auth: bool = False) -> None:
        (folder / "data").mkdir()
        url = f"file:{folder / 'data'}/?_pragma=synchronous(off)"
        words = ["--handler=sqlite", f"--sqlite-url={url}", f"--state-dir={folder}"]
        words += ["--debug-addr=-", "--telemetry=disable", "--log-level=error"]
        if auth:
            words += ["--test-enable-new-auth", "--setup-database=fsdf"]
            words += [f"--setup-username={USER}", f"--setup-password={PASSWORD}"]
        super().__init__(lambda port: [executable, f"--listen-addr=127.0.0.1:{port}", *words], _listens, folder)

    @property
    def url(self) -> str:
        """The URL without a database."""
        return f"mongodb://127.0.0.1:{self.port}"

    def database(self) -> str:
        """Return the URL of a new database."""
        return f"{self.url}/test_{uuid.uuid4().hex[:12]}"


def _listens(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), timeout=2).close()
    return True
