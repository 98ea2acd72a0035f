"""`examples/delayed.py`: countdown, eta and misfire, with producer and consumer in one process and in several."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.examples.conftest import RunExample
    from tests.examples.script import Example

EXAMPLE = Path(__file__).parents[2] / "examples" / "delayed.py"
LINE = re.compile(r"^([a-z ]+) (\d): (-?[\d.]+) s after its time$", re.MULTILINE)
AHEAD, AT_ONCE = ("countdown", "eta", "in time"), ("late", "overdue", "at once")
EARLIEST = -0.02
"""Seconds: what the clock's grain and the 5 ms that a task may begin early allow."""

OVERDUE = 1800.0


def runs(example: Example) -> list[tuple[str, int]]:
    """Return what ran, in order; each waited for its time."""
    found = LINE.findall(example.output)
    for name, _, after in found:
        assert float(after) >= (OVERDUE if name in {"late", "overdue"} else EARLIEST), (name, after)
    return [(name, int(number)) for name, number, _ in found]


def expected(names: Sequence[str]) -> set[tuple[str, int]]:
    return {(name, number) for name in names for number in range(5)}


def until_all_ran(example: Example) -> None:
    example.until([rf"{name} {number}: " for name, number in expected((*AHEAD, *AT_ONCE))])
    assert example.terminate() == 0


def check(example: Example) -> None:
    ran = runs(example)
    # Once each; the misfired ones not at all.
    assert sorted(ran) == sorted(expected((*AHEAD, *AT_ONCE)))
    assert example.output.count("too late to begin") >= 1


def in_one_process(run_example: RunExample, **settings: str) -> None:
    example = run_example(EXAMPLE.read_text(encoding="utf-8"), **settings)
    until_all_ran(example)
    check(example)


def test_delayed_tasks(run_example: RunExample) -> None:
    in_one_process(run_example, FSDF_BROKER="SQLITE_QUEUE")


def test_delayed_tasks_on_redis(run_example: RunExample, redis_url: str) -> None:
    in_one_process(run_example, FSDF_BROKER="REDIS_ACK_ABLE", FSDF_REDIS_URL=redis_url)


def over_a_restart(run_example: RunExample, **settings: str) -> None:
    source = EXAMPLE.read_text(encoding="utf-8")
    producer = run_example(source, "publish", **settings)
    producer.until(["published"])
    assert producer.process.wait(30) == 0
    first = run_example(source, "consume", **settings)
    first.until([f"{name} {number}: " for name, number in expected(AT_ONCE)])
    assert first.terminate() == 0
    missing = expected((*AHEAD, *AT_ONCE)) - set(runs(first))
    second = run_example(source, "consume", **settings)
    second.until(["consuming", *(f"{name} {number}: " for name, number in missing)])
    assert second.terminate() == 0
    assert sorted(runs(first) + runs(second)) == sorted(expected((*AHEAD, *AT_ONCE)))


def test_delays_outlive_the_processes(run_example: RunExample) -> None:
    over_a_restart(run_example, FSDF_BROKER="SQLITE_QUEUE")


def test_delays_outlive_the_processes_on_redis(run_example: RunExample, redis_url: str) -> None:
    over_a_restart(run_example, FSDF_BROKER="REDIS_ACK_ABLE", FSDF_REDIS_URL=redis_url)
