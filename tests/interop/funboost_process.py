"""funboost in a process of its own, configured for the servers of the tests."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from fsdf_core.waiting import wait_until

if TYPE_CHECKING:
    from typing_extensions import Self

_SCRIPT = Path(__file__).with_name("funboost_peer.py")
_TIMEOUT = 90.0


class Funboost:
    """funboost on one queue.

    Args:
        python: an interpreter that can import funboost.
        folder: where it may write its configuration and logs.
        urls: of the servers; it keeps delayed tasks on Redis, whatever the kind.
        kind: member of funboost's BrokerEnum.
        queue: the queue's name.
    """

    def __init__(self, python: Path, folder: Path, urls: set[str], kind: str, queue: str) -> None:
        self._folder = folder
        self._words = [str(python), str(_SCRIPT), kind, queue]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            "PYTHONPATH": str(folder),
            "LOG_PATH": str(folder / "logs"),
        }
        (folder / "funboost_config.py").write_text(_configuration(urls))
        self._history = folder / "history"
        self._history.touch()
        self._worker: subprocess.Popen[bytes] | None = None

    def push(self, *calls: tuple[str, Any, dict[str, Any]]) -> None:
        """Publish calls: ("positional" or "keywords" or "publish", arguments, task options)."""
        producer = self._run("push", json.dumps(calls))
        try:
            assert producer.wait(_TIMEOUT) == 0, self._output()
        finally:
            producer.kill()
            producer.wait(_TIMEOUT)

    def __enter__(self) -> Self:
        """Start a worker."""
        self._worker = self._run("work", str(self._history))
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the worker."""
        assert self._worker is not None
        self._worker.kill()
        self._worker.wait(_TIMEOUT)

    def history(self) -> list[dict[str, Any]]:
        """Return what the worker's tasks told so far."""
        return [json.loads(line) for line in self._history.read_text().splitlines(keepends=True) if line[-1] == "\n"]

    def expect(self, event: str, count: int) -> list[dict[str, Any]]:
        """Wait for so many events of a kind, and return those."""

        def found() -> list[dict[str, Any]]:
            return [told for told in self.history() if told["event"] == event]

        assert self._worker is not None
        worker = self._worker
        assert wait_until(lambda: len(found()) >= count or worker.poll() is not None, _TIMEOUT, 0.02), self._output()
        assert worker.poll() is None, self._output()
        return found()

    def _run(self, role: str, what: str) -> subprocess.Popen[bytes]:
        with (self._folder / "output").open("ab") as output:
            return subprocess.Popen(
                [*self._words, role, what],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _output(self) -> str:
        return (self._folder / "output").read_text(errors="replace")[-5000:]


def _configuration(urls: set[str]) -> str:
    """Return the module `funboost_config`, which it would write itself if it were missing."""
    values = "".join(f"    {name} = {value!r}\n" for url in urls for name, value in _addresses(url).items())
    return (
        "import logging\n"
        "from funboost.funboost_config_deafult import BrokerConnConfig as Broker\n"
        "from funboost.funboost_config_deafult import FunboostCommonConfig as Common\n"
        f"class BrokerConnConfig(Broker):\n{values}"
        "class FunboostCommonConfig(Common):\n"
        "    TIMEZONE = 'UTC'\n"
        "    FUNBOOST_PROMPT_LOG_LEVEL = logging.CRITICAL\n"
        "    KEEPALIVETIMETHREAD_LOG_LEVEL = logging.CRITICAL\n"
        "    SHOW_HOW_FUNBOOST_CONFIG_SETTINGS = False\n"
    )


def _addresses(url: str) -> dict[str, object]:
    if "://" not in url:
        return {"KAFKA_BOOTSTRAP_SERVERS": [url]}
    parts = urlsplit(url)
    if parts.scheme == "amqp":
        return {
            "RABBITMQ_USER": parts.username,
            "RABBITMQ_PASS": parts.password,
            "RABBITMQ_HOST": parts.hostname,
            "RABBITMQ_PORT": parts.port,
            "RABBITMQ_VIRTUAL_HOST": unquote(parts.path[1:]),
            "RABBITMQ_URL": url,
        }
    database = int(parts.path[1:])
    return {
        "REDIS_HOST": parts.hostname,
        "REDIS_PORT": parts.port,
        "REDIS_DB": database,
        "REDIS_DB_FILTER_AND_RPC_RESULT": database + 1,
        "REDIS_URL": url,
    }
