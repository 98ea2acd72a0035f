"""Running calls in child processes are ended: by interrupts, and by the end of the pool."""

from __future__ import annotations

import os
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fsdf_pools import PoolClosedError
from fsdf_pools.process_pool import GivenUpError, ProcessPool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 60.0


class Stop(BaseException):
    """What interrupted calls raise."""


def square(x: int) -> int:
    return x * x


def hold_the_interpreter(begun: Path) -> None:
    """Backtrack for ages without ever letting go of the interpreter's lock."""
    begun.with_suffix(".new").write_text(str(os.getpid()))
    begun.with_suffix(".new").rename(begun)
    re.match(r"(a+)+$", "a" * 60 + "b")


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPool]:
    pool = ProcessPool(2, keep_alive=PATIENCE)
    yield pool
    assert pool.close(PATIENCE)


def test_a_call_that_holds_the_interpreter_is_interrupted(pool: ProcessPool, tmp_path: Path, until: Any) -> None:
    begun, raised, thread = tmp_path / "begun", [], []

    def call() -> None:
        thread.append(threading.get_ident())
        try:
            pool.run(hold_the_interpreter, begun)
        except Stop as stop:
            raised.append(stop)
        raised.append(pool.run(square, 5))

    pool.execute_many(call, 1)
    until(begun.exists, PATIENCE)
    pid = int(begun.read_text())
    assert pool.interrupt(thread[0], Stop) == 1
    until(lambda: len(raised) == 2, PATIENCE)
    assert isinstance(raised[0], Stop)
    if sys.platform == "linux":
        place = str(raised[0].__cause__)
        assert "in hold_the_interpreter" in place
        assert "answer.py" not in place
    assert raised[1] == 25
    assert _gone(pid)
    assert pool.interrupt(threading.get_ident(), Stop) == 0


def test_an_interrupt_before_the_call_holds_and_can_be_taken_back(pool: ProcessPool) -> None:
    told: list[Any] = []
    done = threading.Event()

    def call() -> None:
        me = threading.get_ident()
        pool.prepare()
        pool.interrupt(me, Stop)
        try:
            pool.run(square, 1)
        except Stop:
            told.append("stopped")
        pool.interrupt(me, Stop)
        pool.interrupt(me, None)
        told.append(pool.run(square, 2))
        done.set()

    pool.execute_many(call, 1)
    assert done.wait(PATIENCE)
    assert told == ["stopped", 4]


def test_an_interrupt_of_a_thread_that_runs_nothing_hits_nobody(until: Any) -> None:
    with ProcessPool(1) as pool:
        idle: list[int] = []
        pool.execute_many(lambda: idle.append(threading.get_ident()), 1)
        assert pool.submit(square, 2).result(PATIENCE) == 4
        until(lambda: not pool.busy, PATIENCE)
        assert pool.interrupt(idle[0], Stop) == 0
        assert pool.submit(square, 3).result(PATIENCE) == 9


def test_closing_kills_what_does_not_end(tmp_path: Path, until: Any) -> None:
    pool = ProcessPool(1)
    begun = tmp_path / "begun"
    running = pool.submit(hold_the_interpreter, begun)
    waiting = pool.submit(square, 2)
    until(begun.exists, PATIENCE)
    (pid,) = pool.pids
    assert not pool.close(0.1)
    assert isinstance(running.exception(PATIENCE), GivenUpError)
    assert waiting.cancelled()
    assert _gone(pid)
    with pytest.raises(PoolClosedError):
        pool.submit(square, 1)


def _gone(pid: int) -> bool:
    """Whether a child has been asked for its exit code, and is no more."""
    try:
        os.kill(pid, 0)
    except OSError:
        return True
    return False
