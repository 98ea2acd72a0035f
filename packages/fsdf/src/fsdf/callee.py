"""What the consumer calls for a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    if decorator is not None:
        function = decorator(function)
    if receiver.possible and receiver.kind() in {"INSTANCE_METHOD", "CLASS_METHOD"}:
        function = _with_receiver(function, receiver, by_name=receiver.name not in binder.positional_only)
        if binder.positional_only:
            return _by_position(function, binder.positional_only[1:])
    return _by_position(function, binder.positional_only) if binder.positional_only else function


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
