"""A decorated method bound to its object or class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from fsdf.booster import Booster
    from fsdf.result import AsyncResult

P = ParamSpec("P")
R = TypeVar("R")


class BoundBooster(Generic[P, R]):
    """What `obj.method` is: calls and pushes get the object first; the rest is the booster's own.

    Args:
        booster: the decorated method.
        first: the object, or the class of a class method.
    """

    def __init__(self, booster: Booster[Any, R], first: Any) -> None:
        self.__self__ = first
        self.__func__ = booster

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the plain method here and now."""
        return self.__func__(self.__self__, *args, **kwargs)

    def push(self, /, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]:
        """Publish one call; as `Booster.push`, the object being the first argument."""
        if isinstance(self.__self__, type) and args and isinstance(args[0], type):
            # The class may be written out as well: a class is never a task's own argument.
            return self.__func__.push(*args, **kwargs)
        return self.__func__.push(self.__self__, *args, **kwargs)

    delay = push

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__func__, name)

    def __repr__(self) -> str:
        return f"<bound {self.__func__!r} of {self.__self__!r}>"
