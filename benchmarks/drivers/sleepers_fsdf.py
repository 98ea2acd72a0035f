"""fsdf with tasks that sleep, in any concurrent mode."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.drivers.fsdf import ADDRESSES, KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.drivers.sleepers import Work


def build(work: Work) -> Callable[[], object]:
    """Publish; return `consume`."""
    if work.transport in ADDRESSES:
        os.environ[ADDRESSES[work.transport]] = work.address
    # Imported late: settings are read from the environment.
    from fsdf import BoosterParams, BrokerEnum, ConcurrentModeEnum  # noqa: PLC0415

    task = BoosterParams(
        queue_name=work.queue,
        broker_kind=BrokerEnum[KINDS[work.transport]],
        concurrent_mode=ConcurrentModeEnum[work.mode],
        concurrent_num=work.workers,
    )(work.task)
    task.push_many((seconds,) for seconds in work.sleeps)
    return task.consume
