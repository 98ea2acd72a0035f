"""Tell whoever waits for a task's result how it ended."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fsdf_control.dead_letter import dead_letter_for
from fsdf_control.result_answer import Successes, answer_of, asks, control_data, json_result
from fsdf_core.answer import DROPPED, Answer, answer_key, decode_answer
from fsdf_core.batch import BatchMessage, members_of
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import Control
from fsdf_core.errors import FsdfError, ResultNotJson, StateError, StateUnavailable
from fsdf_core.host import Abandoned
from fsdf_core.state import StateStore
from fsdf_core.verdict import Delay, Fail, Release, Requeue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsdf_core.clock import Clock
    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.verdict import Recovery

_NOT_YET = (Delay, Requeue, Release)
_MOST_AT_ONCE = 4_000_000
"""Bytes of answers in one write."""


class Results(Control):
    """Answers for each task that is done for, whatever became of it; `AsyncResult` and `AnswerReader` wait for that.

    Answers are stored before the message is acknowledged, all that are settled together in one write: a crash in
    between runs the task again, and its second answer replaces the first. A store that is away is waited for. A task
    that goes back to its queue has not ended. What a task returns must be JSON data; else it has failed, without
    another attempt, by `ResultNotJson`.

    Be the first of the controls: whatever others make of a result or an error is answered then.

    Args:
        store: where the answers go, or what opens it when the first is due.
        ttl: seconds that an answer is kept; default 1800.
        enabled: answer for messages that say nothing about it; default True. A message's
            `extra["is_using_rpc_mode"]` goes first. Others cost next to nothing.
        dead_letter: send a message whose result is not JSON to the dead-letter queue; default False.
        function: the function's name, for the answers; default "".
        clock: the time; default: the consumer's clock.

    Raises:
        ValueError: `ttl` is not above 0.

    Example:
        >>> from fsdf_core.answer_reader import AnswerReader
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> store = MemoryStateStore()
        >>> results, message = Results(store), Message({"x": 2}, {"task_id": "t"})
        >>> results.around(lambda message: message.arguments["x"] * 21)(message)
        42
        >>> results.on_settle([message])
        >>> AnswerReader(store).read(["t"])["t"].result
        42
    """

    wants_outcomes = False  # a failure always has one
    around_digested = False
    retryable_errors = (StateError,)

    def __init__(
        self,
        store: StateStore | Callable[[], StateStore],
        ttl: float = 1800.0,
        *,
        enabled: bool = True,
        dead_letter: bool = False,
        function: str = "",
        clock: Clock | None = None,
    ) -> None:
        if not ttl > 0:
            raise ValueError(f"answers must be kept for a time, ttl must be above 0 seconds, not {ttl}")
        self._find = None if isinstance(store, StateStore) else store
        self._store = store if isinstance(store, StateStore) else None
        self._ttl = ttl
        self._enabled = enabled
        self.settle_options_only = not enabled
        self.wants_runs = enabled
        self.around_options_only = not enabled
        self._dead_letter = dead_letter
        self._function = function
        self._given_clock = clock
        self._clock = clock or SYSTEM_CLOCK
        self._logger = logging.getLogger("fsdf.control")
        self._encode_success = Successes("", function).encode

    def start(self, host: Host) -> None:
        """Take the consumer's clock, if there is no other, and its logger."""
        self._clock = self._given_clock or host.clock
        self._logger = host.logger
        self._encode_success = Successes(host.queue.name, self._function).encode

    def around(self, call: Call) -> Call:
        """Keep the result of each run that is asked for."""

        def answered(message: Message) -> Any:
            if self._enabled and message.plain:  # it asks, and its run is noted
                result = call(message)
                message.encoded = json_result(result)
                return result
            whole = isinstance(message, BatchMessage)
            if not whole and not asks(message.extra, self._enabled):
                return call(message)
            began = self._clock.time()
            try:
                result = call(message)
            except Abandoned:
                raise  # settled without this run
            except BaseException:
                self._failed(message, began)
                raise
            return self._batch_ended(message, result, began) if whole else self._ended(message, result, began)

        return answered

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """`around` for `async def` functions."""

        async def answered(message: Message) -> Any:
            if self._enabled and message.plain:
                result = await call(message)
                message.encoded = json_result(result)
                return result
            whole = isinstance(message, BatchMessage)
            if not whole and not asks(message.extra, self._enabled):
                return await call(message)
            began = self._clock.time()
            try:
                result = await call(message)
            except Abandoned:
                raise
            except BaseException:
                self._failed(message, began)
                raise
            return self._batch_ended(message, result, began) if whole else self._ended(message, result, began)

        return answered

    def on_error(self, message: Message, error: BaseException, attempt: int) -> Recovery | None:  # noqa: ARG002
        """Another attempt would return no JSON either."""
        if not isinstance(error, ResultNotJson):
            return None
        return dead_letter_for(error, "its result is not JSON data") if self._dead_letter else Fail()

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Store the answers, wake those who wait."""
        values: dict[str, bytes] = {}
        enabled, encode = self._enabled, self._encode_success
        for message in messages:
            if message.plain and not enabled:
                continue  # another control wanted to see it
            outcome = message.outcome
            returned = message.settlement is None and (outcome is None or outcome.success) and message.began
            if returned and (message.encoded is not None or message.plain):
                task_id = message.task_id
                try:
                    values[answer_key(task_id)] = encode(message, task_id)
                except ResultNotJson as error:  # it was, or the task would have failed, but has changed since
                    answer = answer_of(message, task_id, self._function, self._clock.time())
                    values[answer_key(task_id)] = _untold(answer, str(error), error).encode()
            else:
                self._add_other(values, message)
        if values:
            self._tell(values)

    def digest(self, message: Message) -> Any:
        """Return the key and the answer of a success that is soon told."""
        task_id = message.extra["task_id"]
        if type(task_id) is not str:
            task_id = message.task_id
        return answer_key(task_id), self._encode_success(message, task_id)

    def on_digests(self, digests: Sequence[Any]) -> None:
        """Store the answers, wake those who wait."""
        self._tell(dict(digests))

    def begin_digests(self, digests: Sequence[Any]) -> Callable[[], None] | None:
        """Send the answers, unless they are so large that they need several writes."""
        values = dict(digests)
        store = self._store
        if store is None or sum(map(len, values.values())) > 4 * _MOST_AT_ONCE:
            return None
        return store.tell_soon(values, self._ttl)

    def _add_other(self, values: dict[str, bytes], message: Message) -> None:
        """Add the answer of a message that did not simply succeed, if it has ended and was asked for."""
        if isinstance(message.settlement, _NOT_YET):
            return
        extra = control_data(message)
        if "task_id" in extra and asks(extra, self._enabled):
            task_id = str(extra["task_id"])
            answer = answer_of(message, task_id, self._function, self._clock.time())
            values[answer_key(task_id)] = answer.encode()

    def _ended(self, message: Message, result: Any, began: float) -> Any:
        self._note(message, began)
        message.encoded = json_result(result)
        return result

    def _failed(self, message: Message, began: float) -> None:
        for member in members_of(message):
            if asks(member.extra, self._enabled):
                self._note(member, began)

    def _note(self, message: Message, began: float) -> None:
        """Note a run, unless the consumer has done so."""
        if message.began < began:
            message.began, message.ended, message.thread = began, self._clock.time(), threading.get_ident()

    def _batch_ended(self, message: Message, results: Any, began: float) -> Any:
        """Note each call's own result; one that is not JSON fails alone."""
        members = message.members if isinstance(message, BatchMessage) else ()
        if not isinstance(results, list) or len(results) != len(members):
            results = [results] * len(members)
        checked = list(results)
        for place, member in enumerate(members):
            if not asks(member.extra, self._enabled):
                continue
            if isinstance(results[place], BaseException):
                self._failed(member, began)
                continue
            try:
                self._ended(member, results[place], began)
            except ResultNotJson as error:
                checked[place] = error
        return checked

    def _tell(self, values: dict[str, bytes]) -> None:
        if self._store is None and self._find is not None:
            self._store = self._find()
        store = self._store
        if store is None:
            return
        try:
            for some in _pieces(values):
                self._write(store, some)
        except store.retryable_errors as error:
            raise StateUnavailable(f"results cannot be stored: {error}") from error

    def _write(self, store: StateStore, values: dict[str, bytes]) -> None:
        try:
            store.tell(values, self._ttl)
        except StateUnavailable:
            raise
        except StateError as error:
            if len(values) > 1:
                for key, value in values.items():
                    self._write(store, {key: value})
                return
            ((key, value),) = values.items()
            self._logger.error("task %s: its result of %d bytes cannot be stored: %s", key, len(value), error)  # noqa: TRY400
            text = f"the answer of {len(value)} bytes cannot be stored: {error}"
            store.tell({key: _untold(decode_answer(value), text, error).encode()}, self._ttl)


def _pieces(values: dict[str, bytes]) -> Iterator[dict[str, bytes]]:
    """Cut into writes that no server finds too long for their number alone."""
    if sum(map(len, values.values())) <= _MOST_AT_ONCE:
        yield values
        return
    piece: dict[str, bytes] = {}
    size = 0
    for key, value in values.items():
        if piece and size + len(value) > _MOST_AT_ONCE:
            yield piece
            piece, size = {}, 0
        piece[key] = value
        size += len(value)
    yield piece


def _untold(answer: Answer, text: str, error: FsdfError) -> Answer:
    return replace(
        answer,
        state=DROPPED,
        reason="its result cannot be stored",
        result=None,
        message={},
        exception_type=type(error).__name__,
        exception_msg=text,
    )
