"""Coroutines that run already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator


class Started:
    """Awaits a coroutine that was begun by `send(None)` in the same task, as if it had been awaited from its beginning.

    Args:
        coroutine: it waits.
        awaited: what `send` returned: what it waits for.
    """

    __slots__ = ("_awaited", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        """Pass on what the loop sends, throws and closes."""
        coroutine, awaited = self._coroutine, self._awaited
        while True:
            try:
                yield awaited
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in by the loop, meant for the coroutine
                thrown = error
            else:
                return (yield from coroutine.__await__())
            try:
                awaited = coroutine.throw(thrown)
            except StopIteration as end:
                return end.value
            finally:
                del thrown
