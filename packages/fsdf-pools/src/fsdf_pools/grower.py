"""The thread that watches a backlog and starts workers when they are too few."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from fsdf_pools.growth import GrowthPolicy, Tick

if TYPE_CHECKING:
    from fsdf_pools.crew import Crew
    from fsdf_pools.hiring import Hiring

_FIRST_TICK = 0.001
_TICK = 0.005
# Ticks without a backlog until the grower ends: bursts that follow each other share one grower.
_LINGER = 10
# Share of a tick below which this process counts as idle.
_IDLE = 0.1
# On Windows, process time advances by more than a tick at once.
_CPU_TELLS = sys.platform != "win32"


def grow(crew: Crew, hiring: Hiring) -> None:
    """Add workers while work waits and nobody is free. The target of the grower's thread.

    Args:
        crew: The crew to look after.
        hiring: What starts its threads.
    """
    policy = GrowthPolicy()
    planned = _FIRST_TICK
    unneeded = 0
    while True:
        before, start, cpu = crew.taken(), time.monotonic(), time.process_time()
        # Sampling: there is no event to wait for.
        time.sleep(planned)
        elapsed = time.monotonic() - start
        backlog = len(crew.items)
        if backlog and not crew.parked:
            unneeded = 0
            workers = len(crew.members)
            # Late in an idle process: it is other processes that keep the machine busy.
            slack = _CPU_TELLS and time.process_time() - cpu < _IDLE * elapsed
            late = 0.0 if slack else elapsed - planned
            tick = Tick(workers, crew.taken() - before, elapsed, late, backlog)
            hiring.enlarge(policy.more(tick))
        else:
            unneeded += 1
            policy.forget()
            hiring.relax()
        over = unneeded > (0 if crew.closed else _LINGER)
        if (over or len(crew.members) >= crew.max_workers) and hiring.dismiss_grower():
            return
        planned = _TICK
