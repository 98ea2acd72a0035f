"""Runs the command line in this process, with settings, brokers and modules of the test's own."""

from __future__ import annotations

import functools
import itertools
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import typer.testing

import fsdf_core.settings
from fsdf import BoostersManager, assembly
from fsdf_cli import addresses
from fsdf_cli.app import app
from fsdf_core import lifecycle, registry
from fsdf_core.roster import Roster
from fsdf_core.settings import get_settings
from fsdf_core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_numbers = itertools.count()
PATIENCE = 60.0
TASK = """
import sys

from fsdf import BoosterParams

@BoosterParams(queue_name={queue!r}, broker_kind={kind!r}{params})
def task(x, y: int = 2, fail=False):
    if fail:
        raise ValueError("wanted")
    sys.stderr.write(f"ran {{x}} {{y}}\\n")  # one write, so that log lines do not come between
    return [x, y]
"""


class Fsdf:
    """The command line, and what it works on.

    Args:
        folder: the working directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runner = typer.testing.CliRunner()

    def __call__(self, *words: str, status: int = 0, stdin: str | None = None) -> str:
        """Run a command; return what it prints on standard output."""
        done = self._runner.invoke(app, list(words), input=stdin)
        self.errors = done.stderr
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == status, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        """Run a command with --json after its first word; return what it tells."""
        return json.loads(self(words[0], "--json", *words[1:]))

    def module(self, queue: str, kind: str = "SQLITE_QUEUE", **params: object) -> str:
        """Write a module with a task; return its name."""
        name = f"cli_tasks_{next(_numbers)}"
        told = "".join(f", {key}={value!r}" for key, value in params.items())
        (self.folder / f"{name}.py").write_text(TASK.format(queue=queue, kind=kind, params=told), encoding="utf-8")
        return name

    @property
    def roster(self) -> Roster:
        """The roster of the test's state store."""
        return Roster(registry.open_state(get_settings()))


class Process:
    """A command in a process of its own."""

    def __init__(self, folder: Path, words: tuple[str, ...], settings: dict[str, str]) -> None:
        environment = {**os.environ, "FSDF_HANDLE_SIGNALS": "1", "PYTHONUNBUFFERED": "1", **settings}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "fsdf_cli", *words], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.output += line
        self.popen.stdout.close()

    def says(self, text: str, count: int = 1) -> None:
        """Wait until it has printed a text."""
        assert wait_until(lambda: self.output.count(text) >= count or self.popen.poll() is not None, PATIENCE), (
            self.output
        )
        assert wait_until(lambda: self.output.count(text) >= count, 5), self.output

    def ends(self) -> int:
        """Wait for its end; return the status."""
        status = self.popen.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def kill(self) -> None:
        self.popen.kill()
        self.ends()


@pytest.fixture(scope="session", autouse=True)
def _one_command_tree() -> None:
    """Let the runner build it once, not for each command."""
    typer.testing._get_command = functools.cache(typer.testing._get_command)


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    before = set(sys.modules)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("FSDF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FSDF_HANDLE_SIGNALS", "0")
    monkeypatch.setattr(fsdf_core.settings, "_current", None)
    monkeypatch.setattr(fsdf_core.settings, "_patches", {})
    monkeypatch.setattr(assembly, "_brokers", {})
    monkeypatch.setattr(addresses, "_stand_ins", {})
    monkeypatch.setattr(registry, "_open", {})
    monkeypatch.setattr(BoostersManager, "_boosters", {})
    yield
    assert lifecycle.stop_all(10.0)
    for opened in (*assembly._brokers.values(), *registry._open.values()):
        opened.close()
    for name in set(sys.modules) - before:
        if name.startswith("cli_tasks_"):
            del sys.modules[name]


@pytest.fixture
def fsdf(tmp_path: Path) -> Fsdf:
    """The command line in this process."""
    return Fsdf(tmp_path)


@pytest.fixture
def queue() -> str:
    """A queue that no other test uses."""
    return f"cli_{next(_numbers)}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts the command in processes of their own, which end with the test."""
    started: list[Process] = []

    def run(*words: str, **settings: str) -> Process:
        started.append(Process(tmp_path, words, settings))
        return started[-1]

    yield run
    for process in started:
        process.kill()
