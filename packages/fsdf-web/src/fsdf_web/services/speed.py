"""Counts of queues as curves over time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsdf_core.records import Count
    from fsdf_web.hub import Hub

Window = Literal["minute", "hour", "day", "days"]
WINDOWS: dict[Window, tuple[int, int]] = {"minute": (1, 60), "hour": (60, 60), "day": (3600, 24), "days": (86_400, 10)}
"""Seconds of a step and number of steps: 60 s, 60 min, 24 h, 10 days."""


@dataclass(frozen=True)
class Curve:
    """A queue's numbers, one a step; "" is the sum of all queues."""

    queue: str
    successes: list[int]
    failures: list[int]
    mean_seconds: list[float | None]
    backlog: list[int | None]


@dataclass(frozen=True)
class Curves:
    """All curves of a window; `times` are the begins of the steps, in seconds since the epoch."""

    step: int
    times: list[int]
    total: Curve
    queues: list[Curve]


def curves(hub: Hub, window: Window, queue: str | None = None, now: float | None = None) -> Curves:
    """Return the curves until now, the current step included.

    Args:
        hub: where counts are.
        window: which.
        queue: only this one; None (default): each and their sum.
        now: seconds since the epoch; default: now.

    Raises:
        StateError: the record store cannot be reached.
    """
    step, steps = WINDOWS[window]
    last = int(now if now is not None else time.time()) // step * step
    first = last - (steps - 1) * step
    times = list(range(first, last + 1, step))
    by_queue: dict[str, list[Count]] = {}
    counts = hub.records().counts(queue, first, last + step, step)
    for count in counts:
        by_queue.setdefault(count.queue, []).append(count)
    return Curves(
        step,
        times,
        _curve("", counts, times),
        [_curve(name, by_queue[name], times) for name in sorted(by_queue)],
    )


def _curve(queue: str, counts: Iterable[Count], times: list[int]) -> Curve:
    place = {second: index for index, second in enumerate(times)}
    successes, failures, runs = ([0] * len(times) for _ in range(3))
    spent = [0.0] * len(times)
    backlog: list[int | None] = [None] * len(times)
    for count in counts:
        index = place.get(count.second)
        if index is None:
            continue
        successes[index] += count.successes
        failures[index] += count.failures
        runs[index] += count.runs
        spent[index] += count.seconds_spent
        if count.backlog is not None:
            backlog[index] = (backlog[index] or 0) + count.backlog
    means = [seconds / times_run if times_run else None for seconds, times_run in zip(spent, runs, strict=True)]
    return Curve(queue, successes, failures, means, backlog)
