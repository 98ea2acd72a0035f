"""How a call travels over an executor's queue, and what runs it there."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import ConfigurationError, DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MAIN = ("__main__", "__mp_main__")
"""The main module, and its name in processes that this one has started."""


def reference_of(fn: Callable[..., Any]) -> str:
    """Return where another process finds a function: `module:qualified.name`.

    Raises:
        ConfigurationError: it cannot be found so.

    Example:
        >>> reference_of(sorted)
        'builtins:sorted'
    """
    module = getattr(fn, "__module__", None) or ""
    name = getattr(fn, "__qualname__", None) or repr(fn)
    try:
        found = _walk(module, name)
    except (ImportError, AttributeError, ValueError):
        found = None
    if found is not fn:
        raise ConfigurationError(f"another process cannot find {name}: define it at the top level of a module")
    if module == "__main__":
        # Under `python -m` other processes know the module by its own name.
        module = getattr(getattr(sys.modules["__main__"], "__spec__", None), "name", None) or module
    return f"{module}:{name}"


def find(reference: str, modules: Sequence[str] | None) -> Callable[..., Any]:
    """Return the function of a reference.

    Args:
        reference: what `reference_of` has returned.
        modules: names of modules and packages whose functions may be called; None: any.

    Raises:
        DecodeError: there is none, or it may not be called.
    """
    module, _, name = reference.partition(":")
    if modules is not None and not any(module == each or module.startswith(f"{each}.") for each in modules):
        raise DecodeError(f"{reference} may not be called: its module is none of {', '.join(modules)}")
    try:
        function = _walk(module, name)
    except (ImportError, AttributeError, ValueError) as error:
        raise DecodeError(f"{reference} cannot be found here: {error}") from error
    if modules is not None and getattr(function, "__module__", module) not in {module, *_MAIN}:
        # What a permitted module has imported is not its own.
        raise DecodeError(f"{reference} may not be called: it is a function of {function.__module__}")
    if not callable(function):
        raise DecodeError(f"{reference} is no function")
    found: Callable[..., Any] = function
    return found


class Caller:
    """Runs the calls of an executor's queue, in this process or, pickled, in another one.

    Args:
        modules: as for `find`.
    """

    def __init__(self, modules: Sequence[str] | None) -> None:
        self.__name__ = self.__qualname__ = "run"
        self._modules = modules

    def __call__(self, function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Run a call.

        Raises:
            DecodeError: as `find`; and what the function raises.
        """
        return called(find(function, self._modules), args, kwargs)


def called(fn: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call a function; one that is `async def` on a loop of its own."""
    result = fn(*args, **kwargs)
    return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result


async def called_async(fn: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call a function on the running loop; one that is not `async def` in a thread."""
    if inspect.iscoroutinefunction(fn):
        return await fn(*args, **kwargs)
    result = await asyncio.to_thread(fn, *args, **kwargs)
    return await result if inspect.isawaitable(result) else result


async def _awaited(result: Any) -> Any:
    return await result


def _walk(module: str, name: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found
