"""Calls that run in another process than their futures."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import fsdf_core.settings
from fsdf import BoosterParams, QueueExecutor, TaskFailed, assembly
from fsdf_core import lifecycle
from tests.executors import sums

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = "SQLITE_QUEUE"
PATIENCE = 60.0
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _own_process_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FSDF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FSDF_HEARTBEAT_TIMEOUT", "1")
    monkeypatch.setattr(fsdf_core.settings, "_current", None)
    # The process's one broker of the kind may be another test's, with another home.
    brokers: dict[Any, Any] = {}
    monkeypatch.setattr(assembly, "_brokers", brokers)
    yield
    assert lifecycle.stop_all(PATIENCE)
    for broker in brokers.values():
        broker.close()


@pytest.fixture
def consumer() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that run the calls; the first one is started."""
    started: list[subprocess.Popen[str]] = []

    def start() -> None:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("consumer.py")), KIND, "sums"],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    start()
    started[0].restart = start  # type: ignore[attr-defined]
    yield started
    for process in started:
        process.terminate()
        process.wait(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.timeout(180)
def test_calls_run_in_the_process_that_consumes(consumer: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    params = BoosterParams(queue_name="sums", broker_kind=KIND, max_retry_times=0, rpc_timeout=PATIENCE)
    with QueueExecutor(params, consume=False) as executor:
        assert executor.submit(sums.pid).result(PATIENCE) == consumer[0].pid
        with pytest.raises(TaskFailed, match="getpid may not be called: its module is none of tests.executors"):
            executor.submit(os.getpid).result(PATIENCE)
        # The process dies of a call; the next one finds it on the queue.
        future = executor.submit(sums.die_first, str(tmp_path / "died"))
        assert consumer[0].wait(PATIENCE) == 9
        assert not future.done()
        consumer[0].restart()  # type: ignore[attr-defined]
        assert future.result(PATIENCE) == "survived"


@pytest.mark.timeout(180)
def test_calls_run_in_processes_of_the_executors_own(tmp_path: Path) -> None:
    params = BoosterParams(
        queue_name="sums", broker_kind=KIND, max_retry_times=1, concurrent_num=2, concurrent_mode="process"
    )
    with QueueExecutor(params, modules=["math", "tests.executors"]) as executor:
        assert executor.submit(sums.pid).result(PATIENCE) != os.getpid()
        assert list(executor.map(math.sqrt, range(10))) == [math.sqrt(number) for number in range(10)]
        assert executor.submit(sums.twice, 4).result(PATIENCE) == 8  # type: ignore[comparison-overlap]
        with pytest.raises(TaskFailed, match="getpid may not be called: its module is none of math, tests.executors"):
            executor.submit(os.getpid).result(PATIENCE)
        with pytest.raises(TaskFailed, match="math domain error"):
            executor.submit(math.sqrt, -1).result(PATIENCE)
        # The call's process dies; its retry has another one.
        assert executor.submit(sums.die_first, str(tmp_path / "died")).result(PATIENCE) == "survived"
