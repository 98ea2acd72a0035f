from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from fsdf_pools import ShrinkableThreadPoolExecutor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for a condition of which no event tells."""

    def wait(condition: Callable[[], bool], timeout: float = 5.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            time.sleep(0.002)

    return wait


@pytest.fixture
def make_pool() -> Iterator[Callable[..., ShrinkableThreadPoolExecutor]]:
    """Make pools that are shut down after the test."""
    pools: list[ShrinkableThreadPoolExecutor] = []

    def make(max_workers: int | None = None, **options: object) -> ShrinkableThreadPoolExecutor:
        pool = ShrinkableThreadPoolExecutor(max_workers, **options)  # type: ignore[arg-type]
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        pool.shutdown(wait=False, cancel_futures=True)
    for pool in pools:
        assert pool.close(10)


@pytest.fixture
def run_script() -> Callable[..., tuple[str, float]]:
    """Run Python code in a process of its own; give its output and its seconds."""

    def run(code: str, timeout: float = 30.0) -> tuple[str, float]:
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        return done.stdout, time.monotonic() - start

    return run
