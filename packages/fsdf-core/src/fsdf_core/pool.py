"""The contract of a concurrency pool, as the consumer uses it.

`fsdf_pools.ShrinkableThreadPoolExecutor`, `SoloExecutor`, `AsyncPool` and `ProcessPool` fulfil it without knowing of
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable


class Pool(Protocol):
    """Runs calls concurrently. All methods may be called from any thread."""

    @property
    def max_workers(self) -> int:
        """How many calls may run at once."""
        ...

    def execute_many(self, call: Callable[[], Any], count: int) -> None:
        """Run `call()` `count` times, as concurrently as the pool allows; never block, never raise.

        The caller keeps its own bound by `free_slots()`. `call` does not raise.
        """
        ...

    def free_slots(self) -> int:
        """How many more calls would start at once."""
        ...

    def resize(self, max_workers: int) -> None:
        """Change `max_workers`; running calls are left alone."""
        ...

    def close(self, timeout: float | None = None) -> bool:
        """Stop accepting, let running calls end within `timeout` seconds; True if all did."""
        ...


class CoroutinePool(Pool, Protocol):
    """A pool that awaits what `call()` returns, unless that is None. Its attribute `runs_coroutines` is true."""

    @property
    def loop(self) -> AbstractEventLoop:
        """In its tasks the pool calls and awaits."""
        ...

    @property
    def as_new(self) -> Callable[[], bool]:
        """For a call that has just begun: whether its task is still as it was then.

        If it returns True, a second coroutine that the call awaits cannot tell the task from a new one.
        """
        ...


class RemotePool(Pool, Protocol):
    """A pool whose threads here wait while functions run in other processes. Its attribute `runs_elsewhere` is true.

    Controls, acknowledgements and retries stay in the threads; the consumer calls `run` for the function alone.
    """

    @property
    def given_up(self) -> type[BaseException]:
        """What `run` raises when the pool was closed and the call had not ended in time."""
        ...

    def run(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run a call elsewhere, for the calling thread, and wait; return its result or raise its error.

        `fn` can be imported there; arguments and result are pickled.
        """
        ...

    def warm_up(self, fn: Callable[..., Any], /, *args: Any) -> None:
        """Let each process call `fn(*args)` before its first, or next, call; whatever comes of it."""
        ...

    def prepare(self) -> None:
        """Wait until a call of the calling thread could begin: what a timeout shall not count."""
        ...

    def interrupt(self, thread: int, kind: type[BaseException] | None) -> int:
        """End the call of a thread, given by its identity: `run` raises `kind`, made without arguments.

        None takes back what has not been raised yet. Returns 0 if the thread runs none of the pool's calls.
        """
        ...
