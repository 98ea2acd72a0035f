"""One sshd for all tests of deployment, and projects to deploy there."""

from __future__ import annotations

import itertools
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fsdf_cli.deployment import Server, stop
from tests.deploy.sshd import SSHServer
from tests.servers.fixtures import need

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = itertools.count()
TASKS = """
from pathlib import Path
from fsdf import boost

HERE = Path(__file__).resolve().parent

@boost("{queue}")
def note(line):
    with open(HERE / "ran.txt", "a") as file:
        file.write(f"{version} {{line}}\\n")

@boost("{queue}-slow")
def slow(seconds):
    import time
    (HERE / "begun.txt").touch()
    while not (HERE / "finish.txt").exists():
        time.sleep(0.05)
    (HERE / "ended.txt").touch()
"""

DEPLOY = """
import dataclasses, json
from app.tasks import note, slow
try:
    done = dataclasses.asdict(FUNCTION.fabric_deploy("127.0.0.1", **GIVEN))
except Exception as error:
    done = {"type": type(error).__name__, "error": str(error)}
print(json.dumps(done))
"""


class LocalProject:
    """A project on this machine, and its folder on the server.

    Attributes:
        folder: here.
        there: on the server, which is this machine, too.
    """

    def __init__(self, folder: Path, sshd: SSHServer, queue: str) -> None:
        self.folder = folder
        self.sshd = sshd
        self.queue = queue
        self.there = sshd.home / queue
        self.server = Server("127.0.0.1", sshd.port, sshd.user, key=sshd.key, host_key=sshd.host_key)
        self.write("pyproject.toml", "")
        self.write("app/__init__.py", "")
        self.write_tasks(1)

    def write(self, path: str, text: str) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def write_tasks(self, version: int, more: str = "") -> None:
        self.write("app/tasks.py", TASKS.format(queue=self.queue, version=version) + more)

    def options(self, **others: Any) -> dict[str, Any]:
        """Return options for `fabric_deploy`."""
        return {
            "port": self.sshd.port, "user": self.sshd.user, "key": str(self.sshd.key),
            "host_key": self.sshd.host_key, "python": self.sshd.python, "remote_dir": str(self.there), **others,
        }  # fmt: skip

    def deploy(self, function: str = "note", **options: Any) -> dict[str, Any]:
        """Deploy as a user's program does; return the result, or {"error": …, "type": …}."""
        return self.end(self.begin(function, **options))

    def begin(self, function: str = "note", **options: Any) -> subprocess.Popen[str]:
        """Begin to deploy."""
        script = DEPLOY.replace("FUNCTION", function).replace("GIVEN", repr(self.options(**options)))
        return subprocess.Popen(
            [sys.executable, "-c", script], cwd=self.folder, env={**os.environ, "FSDF_HOME": str(self.folder / "home")},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """Wait until it is deployed."""
        try:
            out, errors = process.communicate(timeout=200)
        finally:
            process.kill()
        assert process.returncode == 0, errors
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    def push(self, *calls: str) -> None:
        """Publish calls on the server, as its user."""
        code = "from app.tasks import note, slow; " + "; ".join(calls)
        home = {"FSDF_HOME": str(self.there / ".fsdf"), "PATH": os.environ["PATH"]}
        user = self.sshd.user if os.geteuid() == 0 else None
        subprocess.run([self.sshd.python, "-c", code], cwd=self.there, env=home, user=user, check=True, timeout=60)


@pytest.fixture(scope="session")
def sshd() -> Iterator[SSHServer]:
    """One sshd for the whole session."""
    running = SSHServer(need("sshd"))
    running.start()
    yield running
    running.remove()


@pytest.fixture
def project(sshd: SSHServer, tmp_path: Path) -> Iterator[LocalProject]:
    """A project that is deployed nowhere; what the test deploys is stopped."""
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    one = LocalProject(tmp_path / "project", sshd, f"mails{next(_numbers)}")
    yield one
    if (one.there / ".fsdf-deploy").exists():
        stop(one.server, str(one.there), timeout=10)
