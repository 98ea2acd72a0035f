"""What pools have in common whose threads wait here while calls run in other processes."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fsdf_pools.process_pool.answer import encode_call

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Place(Protocol):
    """The process that one thread of the pool has."""

    def run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call there, and wait."""
        ...

    def prepare(self) -> None:
        """Wait until it can take a call."""
        ...


class RemoteCalls(Executor):
    """Runs calls in the process of the calling thread."""

    _warm_ups: list[bytes]

    @abstractmethod
    def _place(self) -> Place:
        """Return the calling thread's."""

    def run(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Run `fn(*args, **kwargs)` in the process of the calling thread, one of the pool's own, and wait.

        Raises:
            UnpicklableError: the call or its result cannot travel.
            WorkerDiedError: the process died of it, or cannot be reached.
            GivenUpError: the pool was closed, and the call had not ended in time.
            RemoteError: stands for an error that cannot travel.
            BaseException: what the call raised, its traceback being the text of a `RemoteTraceback`, its cause; or
                what `interrupt` was given.
        """
        result: T = self._place().run(fn, args, kwargs)
        return result

    def warm_up(self, fn: Callable[..., object], /, *args: Any) -> None:
        """Let each process call `fn(*args)` before its first call; one that runs already, before its next.

        For imports, which shall not take the time of a call. Nobody is told what it returns or raises.

        Raises:
            UnpicklableError: the call cannot travel.
        """
        call = encode_call(fn, args, {})
        if call not in self._warm_ups:
            self._warm_ups.append(call)

    def prepare(self) -> None:
        """Wait until the process of the calling thread, one of the pool's own, can take a call.

        Raises:
            WorkerDiedError: none can be had.
            BaseException: what `interrupt` was given.
        """
        self._place().prepare()
