"""What the consumer calls for a message."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from fsdf_core.coroutines import is_async
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.binder import Binder
    from fsdf.receiver import Receiver


def callee(
    function: Callable[..., Any],
    binder: Binder,
    receiver: Receiver,
    decorator: Callable[..., Any] | None,
) -> Callable[..., Any]:
    """Return a callable that takes a message's arguments as keywords.

    Args:
        function: the task.
        binder: knows parameters that cannot be given by name.
        receiver: rebuilds the first argument of methods.
        decorator: the user's own wrapper, or None.
    """
    call = _named(wrapped(function, decorator), binder, receiver)
    return _awaiting(call) if is_async(function) and not is_async(call) else call


def wrapped(function: Callable[..., Any], decorator: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return the function in the user's own wrapper, `async def` if the function is.

    Raises:
        ConfigurationError: the wrapper cannot be called.
    """
    if decorator is None:
        return function
    call: Callable[..., Any] = decorator(function)
    if not callable(call):
        raise ConfigurationError(
            f"consuming_function_decorator has returned {call!r}: a decorator must return what is called instead"
        )
    return _awaiting(call) if is_async(function) and not is_async(call) else call


def _named(function: Callable[..., Any], binder: Binder, receiver: Receiver) -> Callable[..., Any]:
    if receiver.possible and receiver.kind() in {"INSTANCE_METHOD", "CLASS_METHOD"}:
        function = _with_receiver(function, receiver, by_name=receiver.name not in binder.positional_only)
        if binder.positional_only:
            return _by_position(function, binder.positional_only[1:])
    return _by_position(function, binder.positional_only) if binder.positional_only else function


def _awaiting(call: Callable[..., Any]) -> Callable[..., Any]:
    """Make an `async def` function again of what wraps one."""

    async def awaiting(*args: Any, **arguments: Any) -> Any:
        result = call(*args, **arguments)
        return await result if inspect.isawaitable(result) else result

    return awaiting


def _with_receiver(function: Callable[..., Any], receiver: Receiver, *, by_name: bool) -> Callable[..., Any]:
    name = receiver.name

    def call(*args: Any, **arguments: Any) -> Any:
        first = receiver.unpack(arguments.pop(name, None))
        if by_name:
            arguments[name] = first
            return function(*args, **arguments)
        return function(first, *args, **arguments)

    return call


def _by_position(function: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        # Optional ones may be left out, but only from the end.
        given = [arguments.pop(name) for name in names if name in arguments]
        return function(*given, **arguments)

    return call
