"""The future of a task that an executor has published."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.result import AsyncResult

T = TypeVar("T")


class TaskFuture(Future[T]):
    """A `concurrent.futures.Future` whose call is a task on a queue.

    It is pending until the task has ended, wherever that runs. `cancel()` gives it up; the task itself is ended only
    if the executor's parameters have `is_support_remote_kill_task`.

    Args:
        published: the task.
        kill: ends the task of an id; None: it cannot be ended.

    Attributes:
        task_id: the task's id.
    """

    def __init__(self, published: AsyncResult[Any], kill: Callable[[str], None] | None) -> None:
        super().__init__()
        self.task_id = published.task_id
        self._published = published
        self._kill = kill
        self._cancelling = threading.Lock()

    def cancel(self) -> bool:
        """Give the call up, unless it has ended.

        Returns:
            False if it has ended.

        Raises:
            StateError: the wish to kill the task could not be told.
        """
        with self._cancelling:
            first = not self.cancelled()
            if not super().cancel():
                return False
            if first:
                # Tell those who wait with `concurrent.futures.wait`.
                self.set_running_or_notify_cancel()
        if first and self._kill is not None:
            self._kill(self.task_id)
        return True

    def listen(self, unpack: Callable[[Any], T], explain: Callable[[BaseException], BaseException]) -> None:
        """Be fulfilled when the task has ended.

        Args:
            unpack: makes the call's result of the task's.
            explain: makes the call's error of the task's.
        """

        def ended(_: Any) -> None:
            with suppress(InvalidStateError):  # it was cancelled
                try:
                    result = unpack(self._published.get(0))
                except BaseException as error:  # noqa: BLE001 - the future carries it
                    self.set_exception(explain(error))
                else:
                    self.set_result(result)

        self._published.set_callback(ended)
