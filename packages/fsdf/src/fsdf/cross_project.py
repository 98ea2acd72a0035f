"""Publishing to a queue whose function lives in another project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf.binder import Binder
from fsdf.params import BoosterParams
from fsdf.publisher import BoosterPublisher
from fsdf.receiver import PLAIN, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable


class PublisherParams(BoosterParams):
    """`BoosterParams` of a queue whose function is not here: arguments are sent unchecked, by name."""

    should_check_publish_func_params: bool = False


def cross_project_publisher(params: BoosterParams) -> BoosterPublisher[..., Any]:
    """Return what publishes to the queue without its function, and registers nothing.

    Args:
        params: queue, broker and the broker's options as the other project has them. With `manual_func_input_params`
            arguments may be given by position and are checked; without, `push` takes them by name only.

    Example:
        >>> ship = cross_project_publisher(PublisherParams(queue_name="ship", broker_kind="MEMORY_QUEUE"))
        >>> task = ship.push(order=7)
    """
    function = _elsewhere(params.queue_name)
    given = params.manual_func_input_params
    names = None
    if given.get("is_manual_func_input_params"):
        names = list(given.get("must_arg_name_list", ())), list(given.get("optional_arg_name_list", ()))
    return BoosterPublisher(params, Binder(function, names=names), Receiver(function, PLAIN))


get_publisher = cross_project_publisher
"""The known name."""


def _elsewhere(queue_name: str) -> Callable[..., None]:
    def function(**arguments: Any) -> None: ...

    function.__qualname__ = f"the function of queue {queue_name!r}"
    return function
