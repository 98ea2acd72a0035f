"""Waiting until several queues are done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsdf.consumer import BoosterConsumer


def wait_for_possible_has_finish_all_tasks_by_conusmer_list(
    consumer_list: Iterable[BoosterConsumer[Any, Any]], minutes: float = 3, timeout: float | None = None
) -> bool:
    """Wait until each queue has been empty for some minutes, and nothing of it has run.

    Args:
        consumer_list: the consumers of the queues: `f.consumer`.
        minutes: how long each must stay quiet; default 3.
        timeout: seconds for all together; default: no limit.

    Returns:
        False if `timeout` ended the wait.

    Raises:
        UnsupportedFeature: a broker cannot tell how many messages it holds.
    """
    end = None if timeout is None else time.monotonic() + timeout
    for consumer in consumer_list:
        left = None if end is None else max(0.0, end - time.monotonic())
        if not consumer.wait_for_possible_has_finish_all_tasks(minutes, left):
            return False
    return True
