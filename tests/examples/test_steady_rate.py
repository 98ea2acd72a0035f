"""`examples/steady_rate.py`: a rate that holds while the duration of the tasks changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import RunExample

EXAMPLE = Path(__file__).parents[2] / "examples" / "steady_rate.py"
LINE = re.compile(r"^(\d+) begun at ([\d.]+) s, (\d+) threads: (\d+) \+ (\d+), takes ([\d.]+) s$", re.MULTILINE)
QPS, QUICKEST, SLOWEST = 20, 0.0004, 1.2
LATE = 1.0
"""Seconds by which a busy machine may begin the first task late: all others count from it."""


@pytest.mark.parametrize("kind", ["PERSISTQUEUE", "MEMORY_QUEUE"])
def test_the_rate_holds_whatever_the_tasks_take(run_example: RunExample, kind: str) -> None:
    example = run_example(EXAMPLE.read_text(encoding="utf-8"), FSDF_BROKER=kind)
    # Begun after 10 s at the rate; the threads that the slow tasks needed have gone.
    example.until([r"(?m)^200 begun", r", takes 0\.0 s", r"begun at \d+\.\d+ s, [1-8] threads.*takes 0\.0 s"], 60)
    assert example.terminate() == 0
    lines = sorted((float(at), int(threads), int(a), int(b), float(takes)) for _, at, threads, a, b, takes in
                   LINE.findall(example.output))  # fmt: skip
    assert [a for _, _, a, _, _ in sorted(lines, key=lambda line: line[2])] == list(range(len(lines)))
    assert all(b == 2 * a for _, _, a, b, _ in lines)
    times = [at for at, *_ in lines]
    # Never more than the rate allows, and however slow the tasks are, no less than a busy machine must do.
    assert all(count <= QPS * (at + LATE) + 1 for count, at in enumerate(times, start=1))
    assert len(times) >= 0.5 * QPS * times[-1]
    most = {takes: max(threads for _, threads, *_, took in lines if took == takes) for *_, takes in lines}
    assert most[SLOWEST] >= 0.5 * QPS * SLOWEST
    assert most[QUICKEST] < most[SLOWEST]
