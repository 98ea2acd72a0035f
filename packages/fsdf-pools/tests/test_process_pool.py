"""Calls in child processes: results, errors, deaths, and the end of a running call."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fsdf_pools.process_pool import (
    ProcessPool,
    RemoteError,
    RemoteTraceback,
    UnpicklableError,
    WorkerDiedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 60.0


class StubbornError(Exception):
    """Cannot be unpickled."""

    def __init__(self, *, needed: str) -> None:
        super().__init__(f"it was {needed}")


def square(x: int) -> int:
    return x * x


def stubborn() -> None:
    raise StubbornError(needed="this")


def locked() -> Any:
    return threading.Lock()


def segfault() -> None:
    ctypes.string_at(0)


def log_a_line() -> None:
    logging.getLogger("some.where").warning("said %s", "there", extra={"task_id": "t1"})


def fork_and_end(begun: Path) -> None:
    """Leave a process behind that holds the pipe."""
    if os.fork() == 0:
        begun.write_text(str(os.getpid()))
        time.sleep(PATIENCE)
    os._exit(4)


def refuse(what: str) -> None:
    raise ValueError(what)


def end_at_once(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    os._exit(5)


_prepared: list[str] = []


def prepare(what: str) -> None:
    _prepared.append(what)


def prepared() -> list[str]:
    return _prepared


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    pool = ProcessPool(2, keep_alive=PATIENCE)
    yield pool
    assert pool.close(PATIENCE)


def test_errors_come_back_with_their_traceback(pool: ProcessPool) -> None:
    future = pool.submit(refuse, "no")
    error = future.exception(PATIENCE)
    assert isinstance(error, ValueError)
    assert error.args == ("no",)
    assert isinstance(error.__cause__, RemoteTraceback)
    assert "in refuse" in str(error.__cause__)
    assert "answer.py" not in str(error.__cause__)


def test_errors_and_results_that_cannot_travel_fail_their_call_clearly(pool: ProcessPool) -> None:
    with pytest.raises(RemoteError, match="StubbornError: it was this"):
        pool.submit(stubborn).result(PATIENCE)
    with pytest.raises(UnpicklableError, match="result of locked, a lock, cannot leave its process"):
        pool.submit(locked).result(PATIENCE)
    with pytest.raises(UnpicklableError, match="cannot be called in another process"):
        pool.submit(lambda: 1).result(PATIENCE)
    with pytest.raises(UnpicklableError, match="square cannot be called"):
        pool.submit(square, threading.Lock()).result(PATIENCE)  # type: ignore[arg-type]
    assert pool.submit(square, 3).result(PATIENCE) == 9


def test_a_death_costs_one_call(pool: ProcessPool) -> None:
    deaths = [pool.submit(os._exit, 3), pool.submit(segfault), pool.submit(os.abort)]
    squares = pool.map(square, range(20))
    assert list(squares) == [x * x for x in range(20)]
    errors = [death.exception(PATIENCE) for death in deaths]
    assert all(isinstance(error, WorkerDiedError) for error in errors)
    assert str(errors[0]).endswith("exit code 3")
    if sys.platform != "win32":
        assert [str(error).rpartition(" ")[2] for error in errors[1:]] == ["SIGSEGV", "SIGABRT"]


def test_sys_exit_is_the_calls_own_error(pool: ProcessPool) -> None:
    pid = pool.submit(os.getpid).result(PATIENCE)
    assert isinstance(pool.submit(sys.exit, 2).exception(PATIENCE), SystemExit)
    assert pid in pool.pids


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_death_is_noticed_though_another_process_holds_the_pipe(pool: ProcessPool, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    try:
        with pytest.raises(WorkerDiedError, match="exit code 4"):
            pool.submit(fork_and_end, begun).result(PATIENCE)
    finally:
        os.kill(int(begun.read_text()), signal.SIGKILL)


def test_an_idle_death_costs_nothing(pool: ProcessPool, until: Callable[..., None]) -> None:
    pool.submit(square, 1).result(PATIENCE)
    pids = pool.pids
    for pid in pids:
        os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        until(lambda pid=pid: _gone(pid), PATIENCE)
    assert list(pool.map(square, range(4))) == [0, 1, 4, 9]
    assert not set(pids) & set(pool.pids)


def test_processes_start_when_work_waits_and_end_when_idle(until: Any) -> None:
    pool = ProcessPool(3, keep_alive=0.3)
    assert pool.pids == []
    first = pool.submit(os.getpid).result(PATIENCE)
    assert pool.workers == 1
    until(lambda: pool.workers == 0, PATIENCE)
    until(lambda: _gone(first), PATIENCE)
    assert pool.submit(os.getpid).result(PATIENCE) != first
    assert pool.close(PATIENCE)


def test_processes_are_replaced_after_so_many_calls() -> None:
    with ProcessPool(1, max_tasks_per_child=2) as pool:
        pids = list(pool.map(lambda_free_pid, range(4)))
    assert pids[0] == pids[1] != pids[2] == pids[3]


def lambda_free_pid(number: int) -> int:
    del number
    return os.getpid()


def test_an_initializer_runs_first_and_its_error_is_the_calls() -> None:
    with ProcessPool(1, initializer=prepare, initargs=("set",)) as pool:
        assert pool.submit(prepared).result(PATIENCE) == ["set"]
    with (
        ProcessPool(1, initializer=refuse, initargs=("not here",)) as pool,
        pytest.raises(ValueError, match="not here"),
    ):
        pool.submit(prepared).result(PATIENCE)


def test_processes_that_die_before_they_are_ready_fail_the_call_in_the_end(tmp_path: Path) -> None:
    with (
        ProcessPool(1, initializer=end_at_once, initargs=(str(tmp_path),)) as pool,
        pytest.raises(WorkerDiedError, match=r"before they can take a call \(exit code 5\)"),
    ):
        pool.submit(square, 1).result(PATIENCE)
    assert len(list(tmp_path.iterdir())) == 3


def test_log_records_appear_in_the_parents_logging(pool: ProcessPool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "some.where"):
        pool.submit(log_a_line).result(PATIENCE)
    (record,) = [record for record in caplog.records if record.name == "some.where"]
    assert record.getMessage() == "said there"
    assert record.process != os.getpid()
    assert getattr(record, "task_id", None) == "t1"


def test_bigger_and_smaller(pool: ProcessPool, until: Any) -> None:
    assert pool.workers == 2
    pool.resize(1)
    until(lambda: pool.workers == 1, PATIENCE)
    assert list(pool.map(square, range(10))) == [x * x for x in range(10)]
    pool.resize(2)
    assert pool.free_slots() == 2
    with pytest.raises(ValueError, match="max_workers must be at least 1, not 0"):
        pool.resize(0)
    with pytest.raises(RuntimeError, match="use submit"):
        pool.run(square, 1)


def test_children_are_no_forks() -> None:
    """A child of a process with threads must not be forked: locks that threads hold would stay held in it."""
    with ProcessPool(1) as pool:
        assert pool.submit(multiprocessing.get_start_method).result(PATIENCE) == multiprocessing.get_start_method()
        assert not pool.submit(threads_named_like_ours).result(PATIENCE)


def threads_named_like_ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("fsdf-pool-")]


def _gone(pid: int) -> bool:
    """Whether a child has ended with all its threads, though nobody has asked for its exit code yet."""
    if sys.platform == "win32":
        return str(pid) not in subprocess.run(["tasklist"], capture_output=True, text=True, check=True).stdout
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
