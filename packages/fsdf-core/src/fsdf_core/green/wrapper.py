"""Objects whose driver waits in C, under monkey patches: every call of their contract in a real thread."""

from __future__ import annotations

import inspect
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from fsdf_core.green.calls import native_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsdf_core.green.calls import NativeCalls

T = TypeVar("T")


class Wrapper(Generic[T]):
    """Makes objects of a contract that do in real threads what other objects of it do.

    Args:
        contract: the class whose public methods go to the threads; all else that is public is read and written through.
        opens: methods that return objects which need a wrapper, too.
        opener: name of the attribute by which such an object knows who opened it; default "": it does not.
        here: methods that stay in the caller's thread.
    """

    def __init__(
        self,
        contract: type[Any],
        *,
        opens: Mapping[str, Wrapper[Any]] | None = None,
        opener: str = "",
        here: frozenset[str] = frozenset(),
    ) -> None:
        self._contract = contract
        self._opens = opens or {}
        self._opener = opener
        self._here = here

    def cooperative(self, inner: T) -> T:
        """Return the object, wrapped if it would freeze all greenlets of a process that is monkey-patched."""
        calls = None if getattr(inner, "cooperative", False) else native_calls()
        return inner if calls is None else self._class(inner, calls)

    def opened(self, inner: T, opener: Any, calls: NativeCalls) -> T:
        """Return a wrapper of what a wrapped object's method has returned."""
        made = self._class(inner, calls)
        if self._opener:
            vars(made)[self._opener] = opener
        return made

    @cached_property
    def _class(self) -> Callable[[T, NativeCalls], T]:
        body: dict[str, Any] = {"__module__": __name__, "__init__": _init, "__getattr__": _read, "cooperative": True}
        for name in dir(self._contract):
            if name.startswith("_") or name in body:
                continue
            member = inspect.getattr_static(self._contract, name)
            if isinstance(member, classmethod):
                body[name] = classmethod(_refuse)
            elif inspect.isfunction(member):
                body[name] = self._method(name)
            else:
                body[name] = _through(name)
        return cast("Callable[[T, NativeCalls], T]", type(f"Native{self._contract.__name__}", (self._contract,), body))

    def _method(self, name: str) -> Callable[..., Any]:
        wrapper = self._opens.get(name)
        here = name in self._here

        def method(self: Any, *arguments: Any, **options: Any) -> Any:
            call = getattr(self._inner, name)
            if here:
                return call(*arguments, **options)
            found = self._calls(partial(call, **options) if options else call, *arguments)
            return found if wrapper is None else wrapper.opened(found, self, self._calls)

        method.__name__ = name
        return method


def _init(self: Any, inner: Any, calls: Any) -> None:
    self._inner = inner
    self._calls = calls


def _read(self: Any, name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(self._inner, name)


def _through(name: str) -> property:
    return property(lambda self: getattr(self._inner, name), lambda self, value: setattr(self._inner, name, value))


def _refuse(*_: Any) -> Any:
    raise NotImplementedError("wrappers are made of objects")
