"""RAY mode on a local cluster: one for all tests, because it takes seconds to start."""

from __future__ import annotations

import logging
import math
import os
import re
import shutil
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import fsdf_core.settings
from fsdf import QueueExecutor, RemoteTaskKiller, TaskFailed
from fsdf_core import lifecycle
from fsdf_core.errors import ConfigurationError
from fsdf_core.waiting import wait_until
from fsdf_pools.process_pool import GivenUpError, RemoteTraceback, UnpicklableError, WorkerDiedError
from tests.cluster import jobs
from tests.executors import sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

try:
    import ray
except ModuleNotFoundError:
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        raise
    pytest.skip("no ray: pip install fsdf-pools[ray]", allow_module_level=True)

from fsdf_pools.ray_pool import RayPool, cluster_cpus

PATIENCE = 60.0
ROOT = Path(__file__).parent.parent.parent

pytestmark = [
    pytest.mark.timeout(240),
    # Ray's own: files and sockets that it leaves to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Stop(BaseException):
    """What interrupted calls raise."""


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    # Short, because the paths of sockets are limited.
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp" if os.name == "posix" else None)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
        patch.delenv("RAY_ADDRESS", raising=False)
        RayPool(
            1,
            init_options={
                "address": "local",
                "num_cpus": 2,
                "include_dashboard": False,
                "object_store_memory": 80_000_000,
                "log_to_driver": False,
                "_node_ip_address": "127.0.0.1",
                "_temp_dir": folder,
            },
        ).close()
        assert signal.getsignal(signal.SIGTERM) is before
        yield
        ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _own_process_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FSDF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FSDF_HANDLE_SIGNALS", "0")
    monkeypatch.setattr(fsdf_core.settings, "_current", None)
    yield
    assert lifecycle.stop_all(PATIENCE)


@pytest.fixture(scope="module")
def pool() -> Iterator[RayPool]:
    """Of one worker."""
    with RayPool(1, thread_name_prefix="ray-test") as made:
        yield made


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[str]]:
    """Push a task, consume, wait until files are written; return the lines of the first."""

    def consume(task: Any, *names: str, **arguments: Any) -> list[str]:
        task.push(str(tmp_path), **arguments)
        task.consume()
        for name in names:
            assert wait_until((tmp_path / name).exists, PATIENCE), f"{name}: {[one.name for one in tmp_path.iterdir()]}"
        return (tmp_path / names[0]).read_text().splitlines()

    return consume


def test_errors_bring_the_traceback_of_the_worker(pool: RayPool) -> None:
    with pytest.raises(ValueError, match="math domain error") as caught:
        pool.submit(math.sqrt, -1).result(PATIENCE)
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    assert pool.submit(math.sqrt, 4).result(PATIENCE) == 2


def test_what_cannot_travel_fails_clearly(pool: RayPool) -> None:
    with pytest.raises(UnpicklableError, match="cannot be called in another process"):
        pool.submit(math.sqrt, threading.Lock()).result(PATIENCE)  # type: ignore[arg-type]
    with pytest.raises(UnpicklableError, match="cannot leave its process"):
        pool.submit(threading.Lock).result(PATIENCE)


def test_a_dead_worker_costs_one_call(pool: RayPool) -> None:
    with pytest.raises(WorkerDiedError, match="the Ray worker of the call has ended .process"):
        pool.submit(os._exit, 3).result(PATIENCE)
    assert pool.submit(math.sqrt, 4).result(PATIENCE) == 2


def test_a_call_in_c_is_interrupted(pool: RayPool) -> None:
    began = threading.Event()
    ident: list[int] = []

    def call() -> Any:
        pool.prepare()
        ident.append(threading.get_ident())
        began.set()
        return pool.run(re.match, r"(a+)+$", "a" * 60 + "b")

    future = pool._threads.submit(call)
    assert began.wait(PATIENCE)
    assert pool.interrupt(ident[0], Stop) == 1
    with pytest.raises(Stop):
        future.result(PATIENCE)
    assert pool.interrupt(threading.get_ident(), Stop) == 0
    assert pool.submit(math.sqrt, 4).result(PATIENCE) == 2


def test_closing_gives_up_what_does_not_end() -> None:
    pool = RayPool(1, thread_name_prefix="ray-closing")
    endless = pool.submit(re.match, r"(a+)+$", "a" * 60 + "b")
    assert wait_until(endless.running, PATIENCE)
    assert not pool.close(0.5)
    with pytest.raises(GivenUpError):
        endless.result(PATIENCE)


def test_by_default_there_are_as_many_workers_as_cpus() -> None:
    with RayPool() as pool:
        assert pool.max_workers == cluster_cpus() == 2


def test_a_worker_count_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RayPool(0)


def test_no_worker_can_find_a_local_function() -> None:
    task = jobs.OnRay(queue_name="ray-local")(lambda: None)
    with pytest.raises(ConfigurationError, match="top level of a module"):
        task.consume()


def test_a_task_runs_on_the_cluster_and_knows_itself(run: Callable[..., list[str]]) -> None:
    process, task_id, queue = run(jobs.where, "where")[0].split()
    assert int(process) != os.getpid()
    assert len(task_id) == 36
    assert queue == "ray-where"


def test_async_functions_run_there_too(run: Callable[..., list[str]]) -> None:
    assert int(run(jobs.waits, "waited")[0]) != os.getpid()


def test_a_worker_that_dies_costs_one_attempt(
    run: Callable[..., list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        run(jobs.dies, "survived")
    assert len((tmp_path / "attempts").read_text().splitlines()) == 2
    assert "attempt 1 failed (WorkerDiedError: the Ray worker of the call has ended" in caplog.text


def test_a_timeout_ends_what_holds_the_interpreter(
    run: Callable[..., list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        run(jobs.endless, "ended")
    assert len((tmp_path / "begun").read_text().splitlines()) == 2
    assert "attempt 1 failed (TaskTimeout: ran for longer than 2 s)" in caplog.text


def test_a_running_task_is_killed(run: Callable[..., list[str]], caplog: pytest.LogCaptureFixture) -> None:
    task_id, _ = run(jobs.killed, "killed-1", number=1)[0].split()
    with caplog.at_level(logging.ERROR):
        RemoteTaskKiller("ray-killed", task_id).send_kill()
        assert wait_until(lambda: "TaskKilled" in caplog.text, PATIENCE)
    run(jobs.killed, "killed-2", number=2)


def test_what_is_not_done_at_the_stop_runs_again(run: Callable[..., list[str]], tmp_path: Path) -> None:
    run(jobs.stopped, "stopped")
    assert not jobs.stopped.stop(0.5)
    jobs.stopped.consume()
    assert wait_until(lambda: len((tmp_path / "stopped").read_text().splitlines()) == 2, PATIENCE)


def test_the_calls_of_an_executor_run_on_the_cluster() -> None:
    params = jobs.OnRay(queue_name="ray-executor")
    with QueueExecutor(params, modules=["math", "tests.executors"]) as executor:
        assert list(executor.map(math.sqrt, [1, 4, 9])) == [1, 2, 3]
        assert executor.submit(sums.pid).result(PATIENCE) != os.getpid()
        with pytest.raises(TaskFailed, match="getpid may not be called"):
            executor.submit(os.getpid).result(PATIENCE)
