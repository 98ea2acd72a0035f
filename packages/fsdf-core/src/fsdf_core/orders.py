"""What anybody may order running workers to do: another pace for a queue, or one worker's end.

A pace counts for all workers of a queue, now and after restarts, until it is reset. An order to end counts for one
worker. Workers look every 1.5 s; they are the consumers with the control `fsdf_control.enlist.Enlist`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.state import StateStore

_END_WITHIN = 600.0
"""Seconds that an order to end is kept; a worker that stalls for longer goes on."""


@dataclass(frozen=True)
class Pace:
    """How fast the workers of a queue shall be.

    Attributes:
        qps: starts a second in each consumer (in all together if their limit is shared); 0 is no limit;
            None: what the code says.
        concurrency: calls at once in each consumer; None: what the code says.
    """

    qps: float | None = None
    concurrency: int | None = None


def set_pace(store: StateStore, queue_name: str, *, qps: float | None = None, concurrency: int | None = None) -> None:
    """Change what is given, for all workers of the queue, within 2 s and until `reset_pace`; None changes nothing.

    Args:
        store: the state store of the workers.
        queue_name: whose.
        qps: starts a second, 0 is no limit.
        concurrency: calls at once, at least 1.

    Raises:
        ConfigurationError: a number makes no sense.
        StateError: the store cannot be reached.

    Example:
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> store = MemoryStateStore()
        >>> set_pace(store, "sums", qps=5)
        >>> pace_of(store, "sums")
        Pace(qps=5.0, concurrency=None)
    """
    values: dict[str, bytes] = {}
    if qps is not None:
        if isinstance(qps, bool) or not 0 <= qps < math.inf:
            raise ConfigurationError(f"qps is 0 (no limit) or above, not {qps}")
        values[_qps_key(queue_name)] = str(float(qps)).encode()
    if concurrency is not None:
        if type(concurrency) is not int or concurrency < 1:
            raise ConfigurationError(f"concurrency is a whole number from 1, not {concurrency}")
        values[_concurrency_key(queue_name)] = str(concurrency).encode()
    if values:
        store.set(values)


def reset_pace(store: StateStore, queue_name: str) -> None:
    """Let the workers of the queue be as fast as their code says.

    Raises:
        StateError: the store cannot be reached.
    """
    store.delete([_qps_key(queue_name), _concurrency_key(queue_name)])


def pace_of(store: StateStore, queue_name: str) -> Pace:
    """Return what is ordered for a queue.

    Raises:
        StateError: the store cannot be reached.
    """
    return read_pace(store.get(pace_keys(queue_name)))


def order_end(store: StateStore, consumer_id: str) -> None:
    """Tell one worker to stop as `Consumer.stop` does; it begins within 2 s. `Roster.shut_down` checks the id.

    Raises:
        StateError: the store cannot be reached.
    """
    store.set({end_key(consumer_id): b"1"}, _END_WITHIN)


def pace_keys(queue_name: str) -> list[str]:
    """Return the keys whose values `read_pace` takes."""
    return [_qps_key(queue_name), _concurrency_key(queue_name)]


def read_pace(values: Sequence[bytes | None]) -> Pace:
    """Read the values of `pace_keys`; what cannot be read counts as not ordered."""
    qps, concurrency = (_number(value) for value in values)
    return Pace(
        qps if qps is not None and 0 <= qps < math.inf else None,
        int(concurrency) if concurrency is not None and 1 <= concurrency < math.inf else None,
    )


def end_key(consumer_id: str) -> str:
    """Return the key that is there if the worker shall end."""
    return f"fsdf:end:{consumer_id}"


def _number(value: bytes | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None


def _qps_key(queue_name: str) -> str:
    return f"fsdf:qps:{queue_name}"


def _concurrency_key(queue_name: str) -> str:
    return f"fsdf:concurrency:{queue_name}"
