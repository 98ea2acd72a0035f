"""Starts a process with a supervisor, reads its log, strikes its workers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from fsdf_core.publisher import Publisher
from fsdf_core.registry import brokers
from fsdf_core.settings import Settings
from fsdf_core.waiting import wait_until

HERE = Path(__file__).parent
WAIT = 40.0


class Boss:
    """The process with the supervisor, and the queue that its workers consume."""

    def __init__(self, folder: Path, kind: str, queue: str) -> None:
        self.folder = folder
        self.kills: dict[int, float] = {}
        self.environment = {
            **os.environ, "FSDF_HOME": str(folder / "home"), "FSDF_HEARTBEAT_TIMEOUT": "0.5",
            "FSDF_HANDLE_SIGNALS": "1",
            "JOBS_FOLDER": str(folder), "JOBS_KIND": kind, "PYTHONPATH": str(HERE),
        }  # fmt: skip
        self.broker = brokers.get(kind).from_settings(Settings(home=folder / "home"))
        self.name = queue
        self.queue = self.broker.queue(queue)
        self.publisher = Publisher(self.queue)
        self.output = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self, *numbers: int, command: tuple[str, ...] = (str(HERE / "boss.py"),), **options: object) -> None:
        words = [sys.executable, *command, self.name, json.dumps({"numbers": numbers, **options})]
        self.process = subprocess.Popen(
            words, env=self.environment, cwd=HERE, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,))
        self._reader.start()

    def _read(self, stream) -> None:
        for line in stream:
            self.output += line
        stream.close()

    def publish(self, count: int, first: int = 0, **arguments: object) -> None:
        self.publisher.publish_many({"number": number, **arguments} for number in range(first, first + count))

    def call(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def until(self, condition, what: object = "") -> None:
        assert wait_until(condition, WAIT, 0.02), f"{what}{self.queue.size()}\n{self.output[-6000:]}"

    def until_said(self, pattern: str, times: int = 1) -> None:
        self.until(lambda: len(re.findall(pattern, self.output)) >= times, f"{pattern} ")

    def until_done(self) -> None:
        self.until(lambda: not self.queue.size().total)

    def started(self) -> list[int]:
        """The ids of all workers that were ever started."""
        return [
            int(pid) for pid in re.findall(rf"fsdf-{self.name}-\d+ started.*, pid (\d+)$", self.output, re.MULTILINE)
        ]

    def workers(self) -> list[int]:
        """The ids of the workers that are there."""
        return [pid for pid in self.started() if alive(pid)]

    def until_consuming(self, count: int = 1) -> None:
        self.until_said(f"consuming {self.name} with", count)

    def runs(self) -> Counter[int]:
        """How many tasks each process has ended."""
        logs = (self.folder / "history").glob("*.log")
        return Counter({int(log.stem): ended for log in logs if (ended := log.read_text().count("end "))})

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.kills[pid] = time.time()

    def signal(self, signum: int) -> None:
        self.process.send_signal(signum)

    def end(self, seconds: float = WAIT) -> int:
        status = self.process.wait(seconds)
        self.process.stdin.close()
        self._reader.join(WAIT)
        return status

    def terminate(self) -> None:
        self.signal(signal.SIGTERM)
        assert self.end() == 0, self.output[-6000:]
        assert not self.workers()

    def close(self) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            for pid in self.workers():
                os.kill(pid, signal.SIGKILL)
            self._reader.join(WAIT)
            self.process.stdin.close()
        self.broker.close()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


@pytest.fixture
def hire(tmp_path, request):
    """Builds a boss."""
    hired = []

    def build(queue: str = "jobs", kind: str = "SQLITE_QUEUE") -> Boss:
        hired.append(Boss(tmp_path, kind, queue))
        return hired[-1]

    yield build
    for boss in hired:
        boss.close()
