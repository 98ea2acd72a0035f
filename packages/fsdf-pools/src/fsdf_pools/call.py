"""A queued call, and the one whose outcome goes to a Future."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

T = TypeVar("T")

Item = tuple[Callable[..., object], tuple[Any, ...]]
"""What a queue holds: a callable and its positional arguments."""


def fulfil(future: Future[T], fn: Callable[..., T], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Run the call unless its Future was cancelled, and put the outcome into the Future.

    Args:
        future: Receives the result or the exception, whatever its class.
        fn: The callable.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
    """
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - a Future carries every exception
        future.set_exception(error)
        # The traceback holds this frame: without this, the Future would hold itself.
        del future
    else:
        future.set_result(result)


def withdraw(future: Future[Any]) -> None:
    """Cancel a Future that will not run, and tell those who wait for it.

    Args:
        future: A Future that is pending or cancelled.
    """
    future.cancel()
    future.set_running_or_notify_cancel()
