"""The decorator, and the way without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf.params import BoosterParams
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.consumer import BoosterConsumer

P = ParamSpec("P")
R = TypeVar("R")


def boost(queue_name: str | BoosterParams, **params: Any) -> BoosterParams:
    """Make a function a task: `@boost("q", qps=5)` or `@boost(BoosterParams(queue_name="q", qps=5))`.

    Opens, writes and starts nothing, unless `is_auto_start_consuming_message` is set.

    Args:
        queue_name: the queue's name, or all parameters at once.
        **params: fields of `BoosterParams`.

    Returns:
        The parameters, which are the decorator.

    Raises:
        ConfigurationError: a name is unknown (suggests the nearest), or a value not valid.
        UnsupportedFeature: this version cannot do it yet.

    Example:
        >>> @boost("sums", qps=5, broker_kind="MEMORY_QUEUE")
        ... def add(x, y):
        ...     return x + y
        >>> add(1, 2)
        3
    """
    if isinstance(queue_name, BoosterParams):
        if params:
            raise ConfigurationError(f"give {', '.join(params)} inside {type(queue_name).__name__}(…), not beside it")
        return queue_name
    if not isinstance(queue_name, str):
        raise ConfigurationError(f'write @boost("name of the queue", …): {queue_name!r} is no queue name')
    return BoosterParams(queue_name=queue_name, **params)


task_deco = boost
"""The older name."""


def get_consumer(queue_name: str, *, consuming_function: Callable[P, R], **params: Any) -> BoosterConsumer[P, R]:
    """Return the consumer of a function that is not decorated.

    Args:
        queue_name: the queue's name.
        consuming_function: the task.
        **params: fields of `BoosterParams`.

    Returns:
        An object with `start_consuming_message()`, `stop()` and `publisher_of_same_queue`.

    Raises:
        ConfigurationError: as `boost`.
    """
    return boost(queue_name, **params)(consuming_function).consumer
