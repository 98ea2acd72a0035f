"""What `push` returns: a handle on the task and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fsdf.result_source import ANYWHERE, ResultSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

    from fsdf_core.answer import Answer
    from fsdf_core.answer_reader import AnswerReader
    from fsdf_core.task_status import FunctionResultStatus

R = TypeVar("R")


class AsyncResult(Generic[R]):
    """A published task. `AsyncResult(task_id)` finds its result in any process that uses the same state store.

    Any number of handles and threads may read a result, as long as `rpc_result_expire_seconds` says.

    Args:
        task_id: the task's id; an integer becomes text.
        timeout: seconds that its result is waited for; default: the task's `rpc_timeout`, else 1800.
        source: where the result comes back to; default: the setting `state_url`.
        asked: whether a result comes back.
        answer: how the task ended, if that is known.

    Attributes:
        task_id: its id.
    """

    __slots__ = ("_answer", "_asked", "_source", "_timeout", "task_id")

    def __init__(
        self,
        task_id: str | int,
        timeout: float | None = None,
        source: ResultSource = ANYWHERE,
        *,
        asked: bool = True,
        answer: Answer | None = None,
    ) -> None:
        self.task_id = str(task_id)
        self._timeout = timeout
        self._source = source
        self._asked = asked
        self._answer = answer

    @property
    def result(self) -> R:
        """The function's result: `get()`."""
        return self.get()

    def get(self, timeout: float | None = None) -> R:
        """Wait for the function's result.

        Args:
            timeout: seconds; default: as set.

        Raises:
            TaskFailed: the task failed, or was dropped or dead-lettered.
            HasNotAsyncResult: it has not ended in time; a `TimeoutError`.
            ConfigurationError: it sends no result back.
        """
        from fsdf.result_errors import failure  # noqa: PLC0415 - only who asks needs it

        answer = self._told(timeout)
        if not answer.success:
            raise failure(answer)
        result: R = answer.result
        return result

    @property
    def status_and_result(self) -> dict[str, Any] | None:
        """How the task ended, after a wait: the fields of `FunctionResultStatus`; None if it has not in time.

        Also has `state` ("succeeded", "failed", "dropped", "dead-lettered"), `reason` and `traceback`.
        """
        answer = self.wait()
        return None if answer is None else answer.status_dict()

    @property
    def status_and_result_obj(self) -> FunctionResultStatus | None:
        """The same as an object."""
        answer = self.wait()
        return None if answer is None else answer.status()

    rpc_data = status_and_result_obj

    def is_pending(self) -> bool:
        """Whether the task has not ended yet; does not wait.

        Raises:
            StateError: the state store cannot be asked.
        """
        if self._answer is None:
            for reader in self.readers():
                self._answer = self._answer or reader.read([self.task_id]).get(self.task_id)
        return self._answer is None

    def is_success(self) -> bool:
        """Whether the function returned, after a wait for the task's end.

        Raises:
            HasNotAsyncResult: it has not ended in time.
        """
        return self._told(None).success

    def set_timeout(self, timeout: float) -> Self:
        """Wait so many seconds from now on."""
        self._timeout = timeout
        return self

    def set_callback(self, callback: Callable[[dict[str, Any] | None], Any]) -> Self:
        """Call `callback(status_and_result)` in a thread when the task has ended; with None if it has not in time.

        Callbacks share a few threads. A script that has nothing else to do waits for them before it ends. What
        they raise is logged.
        """
        from fsdf.result_callbacks import call_back  # noqa: PLC0415 - as above

        call_back(self, callback)
        return self

    def wait_rpc_data_or_raise(self, raise_exception: bool = True) -> FunctionResultStatus | None:  # noqa: FBT001, FBT002 - the known signature
        """Wait for the task's end and return how it ended.

        Args:
            raise_exception: raise for a failed task, or one that has not ended in time (default); else return
                its status, None if it has none.

        Raises:
            TaskFailed: the task failed.
            HasNotAsyncResult: it has not ended in time.
        """
        return type(self).batch_wait_rpc_data_or_raise([self], raise_exception)[0]

    @staticmethod
    def batch_wait_rpc_data_or_raise(
        r_list: Iterable[AsyncResult[Any]],
        raise_exception: bool = True,  # noqa: FBT001, FBT002 - the known signature
        timeout: float | None = None,
    ) -> list[FunctionResultStatus | None]:
        """Wait for all of them, over one connection, and return how they ended, in order.

        Args:
            r_list: the tasks.
            raise_exception: as of `wait_rpc_data_or_raise`, for the first that failed or has not ended.
            timeout: seconds for all together; default: the longest of theirs.

        Raises:
            TaskFailed: a task failed.
            HasNotAsyncResult: some have not ended in time.
        """
        from fsdf.result_batch import wait_for_all  # noqa: PLC0415 - as above

        answers = wait_for_all(list(r_list), raise_exception, timeout)
        return [None if answer is None else answer.status() for answer in answers]

    def wait(self, timeout: float | None = None) -> Answer | None:
        """Wait for the task's end and return how it ended; None if it has not in time.

        Args:
            timeout: seconds; default: as set.

        Raises:
            ConfigurationError: the task sends no result back.
        """
        if self._answer is None:
            from fsdf_core.answer_waiting import wait_for  # noqa: PLC0415 - as above

            readers = self.readers()
            limit = self.timeout if timeout is None else timeout
            self._answer = wait_for({reader: [self.task_id] for reader in readers}, limit).get(self.task_id)
        return self._answer

    @property
    def timeout(self) -> float:
        """Seconds that the result is waited for."""
        return self._source.timeout if self._timeout is None else self._timeout

    @property
    def answer(self) -> Answer | None:
        """How the task ended, if this handle has seen it."""
        return self._answer

    def readers(self) -> tuple[AnswerReader, ...]:
        """Return what reads the state stores where the answer may be.

        Raises:
            ConfigurationError: the task sends no result back, or the state store cannot be had.
        """
        if not self._asked:
            from fsdf.result_errors import not_asked  # noqa: PLC0415 - as above

            raise not_asked(self.task_id)
        return self._source.readers()

    def keep(self, answer: Answer) -> None:
        """The answer was seen by another wait."""
        self._answer = answer

    def _told(self, timeout: float | None) -> Answer:
        answer = self.wait(timeout)
        if answer is None:
            from fsdf.result_errors import no_answer  # noqa: PLC0415 - as above

            raise no_answer([self.task_id], self.timeout if timeout is None else timeout, self.readers())
        return answer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncResult) and other.task_id == self.task_id

    def __hash__(self) -> int:
        return hash(self.task_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.task_id!r})"
