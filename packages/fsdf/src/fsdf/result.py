"""What `push` returns: a handle on the task."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

from fsdf_core.errors import UnsupportedFeature

R = TypeVar("R")


class AsyncResult(Generic[R]):
    """A published task.

    Attributes:
        task_id: its id.
    """

    __slots__ = ("task_id",)

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id

    @property
    def result(self) -> R:
        """The function's result.

        Raises:
            UnsupportedFeature: always, in this version.
        """
        _refuse()

    def get(self, timeout: float | None = None) -> R:  # noqa: ARG002 - the known signature
        """Wait for the function's result.

        Raises:
            UnsupportedFeature: always, in this version.
        """
        _refuse()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncResult) and other.task_id == self.task_id

    def __hash__(self) -> int:
        return hash(self.task_id)

    def __repr__(self) -> str:
        return f"AsyncResult({self.task_id!r})"


def _refuse() -> NoReturn:
    raise UnsupportedFeature(
        "results do not come back yet (is_using_rpc_mode is a later version's): let the task store its result"
    )
