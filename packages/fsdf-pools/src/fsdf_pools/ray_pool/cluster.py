"""The connection of this process to a Ray cluster."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import ray

_connecting = threading.Lock()


def connect(**options: Any) -> None:
    """Connect, unless this process is connected already.

    Without an address, that is the cluster of the variable `RAY_ADDRESS`, or the one that runs on this machine, or a
    new one on it, which ends with this process. Signal handlers stay as they are: Ray would exit at SIGTERM, and
    tasks that run could not end.

    Args:
        **options: of `ray.init`.

    Raises:
        ConnectionError: the cluster cannot be reached.
    """
    with _connecting:
        if ray.is_initialized():
            return
        given: dict[str, Any] = {"configure_logging": False, **options}
        if not (given.get("address") or os.environ.get("RAY_ADDRESS")):
            given.setdefault("include_dashboard", False)
        before = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(**given)
        finally:
            if threading.current_thread() is threading.main_thread() and before is not None:
                signal.signal(signal.SIGTERM, before)


def cluster_cpus() -> int:
    """Return how many CPUs the cluster has now, connecting first if needed.

    Raises:
        ConnectionError: the cluster cannot be reached.
    """
    connect()
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))
