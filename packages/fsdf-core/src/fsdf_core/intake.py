"""From deliveries to messages: decode, screen, ask the controls for admission."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fsdf_core.codec import decode
from fsdf_core.control import Control, overriding
from fsdf_core.errors import DecodeError, FsdfError
from fsdf_core.message import ATTEMPTS, STAMPS, Message
from fsdf_core.ready import SIZE, opened
from fsdf_core.task_id import new_task_id
from fsdf_core.verdict import DeadLetter, Release

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from fsdf_core.broker import Delivery
    from fsdf_core.clock import Clock
    from fsdf_core.ready import Ready
    from fsdf_core.verdict import Admission

    AdmitMany = Callable[[Sequence[Message]], Sequence[Admission | None]]


_STAMPS = len(STAMPS)


class AdmissionFailed(FsdfError):
    """A control could not decide; `messages` are marked to be given back."""

    def __init__(self, error: Exception, messages: list[Message]) -> None:
        super().__init__(f"no admission: {type(error).__name__}: {error}")
        self.messages = messages


class Intake:
    """Sorts deliveries into what is to run and messages to settle without a run.

    Args:
        queue_name: where the deliveries come from.
        controls: asked in order; the first that answers decides.
        max_deliveries: a message claimed more often than this without an outcome killed its workers and
            goes to the dead-letter queue.
        clock: stamps messages of foreign producers.
        logger: where refusals are logged.
    """

    def __init__(
        self,
        queue_name: str,
        controls: Sequence[Control],
        max_deliveries: int,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self._queue_name = queue_name
        self._admissions = [admission for control in controls for admission in _admissions(control)]
        self._samples = overriding(controls, "around_every")
        self._max_deliveries = max_deliveries
        self._clock = clock
        self._logger = logger

    def sort(self, deliveries: Sequence[Delivery]) -> tuple[list[Ready], list[Message]]:
        """Return (what is to run, messages to settle).

        Raises:
            AdmissionFailed: a control raised.
        """
        admitted: list[Ready] = []
        refused: list[Message] = []
        closely: list[Message] = []
        most = self._max_deliveries
        queue_name = self._queue_name
        for delivery in deliveries:
            body = delivery.body
            if type(body) is tuple and len(body) == SIZE and delivery.delivery_count <= most:
                admitted.append(delivery)
                continue
            try:
                message = decode(body, delivery, queue_name)
            except DecodeError as error:
                refused.append(self._undecodable(delivery, error))
                continue
            extra = message.extra
            if (
                len(extra) == _STAMPS
                and "task_id" in extra
                and "publish_time" in extra
                and "publish_time_format" in extra
            ):
                message.plain = True
            else:
                self._look_closely(message)
                closely.append(message)
            if delivery.delivery_count > most:
                self._overdelivered(message, delivery.delivery_count)
                refused.append(message)
            else:
                admitted.append(message)
        self._sample(admitted)
        if asked := [admit for admit in self._admissions if closely or not admit.options_only]:
            return list(self._asked(asked, admitted, refused)), refused
        return admitted, refused

    def _sample(self, admitted: list[Ready]) -> None:
        """Let some messages pass the controls that look at samples."""
        for every in self._samples:
            if step := every():
                for place in range(0, len(admitted), step):
                    admitted[place] = message = opened(admitted[place])
                    message.plain = False

    def _asked(
        self, admissions: Sequence[_Admission], admitted: Sequence[Ready], refused: list[Message]
    ) -> list[Message]:
        """Ask the controls; return what they let pass."""
        messages = [opened(each) for each in admitted]
        for admission in admissions:
            messages = self._screen(admission.admit, messages, refused)
        return messages

    def _screen(self, admit: AdmitMany, messages: list[Message], refused: list[Message]) -> list[Message]:
        """Ask one control about the messages; return those it lets pass."""
        try:
            verdicts = admit(messages)
        except Exception as error:
            for message in (*messages, *refused):
                message.settlement = Release()
            raise AdmissionFailed(error, [*messages, *refused]) from error
        if not any(verdicts):
            return messages
        passed = []
        for message, verdict in zip(messages, verdicts, strict=True):
            if verdict is None:
                passed.append(message)
            else:
                message.settlement = verdict
                refused.append(message)
        return passed

    def _look_closely(self, message: Message) -> None:
        """Complete the control data of a foreign producer; read what the message says of itself."""
        extra = message.extra
        if "task_id" not in extra:
            message.plain = not extra
            extra["task_id"] = new_task_id()
            extra.setdefault("publish_time", round(self._clock.time(), 4))
        if ATTEMPTS in extra:
            message.attempt = _attempts(extra[ATTEMPTS]) + 1

    def _overdelivered(self, message: Message, count: int) -> None:
        message.settlement = DeadLetter(f"delivered {count - 1} times without an outcome: it probably kills its worker")
        self._logger.error("task %s to the dead-letter queue: %s", message.task_id, message.settlement.reason)

    def _undecodable(self, delivery: Delivery, error: DecodeError) -> Message:
        self._logger.error("a body that is no task message goes to the dead-letter queue: %s", error)
        message = Message({}, {}, delivery)
        message.attempt = 0
        message.settlement = DeadLetter("undecodable", str(error))
        return message


def _attempts(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _admissions(control: Control) -> list[_Admission]:
    """Return the control's admissions, those one by one made to take a batch."""
    found = []
    if type(control).admit is not Control.admit:
        admit = control.admit
        found.append(_Admission(lambda messages: [admit(message) for message in messages], options_only=False))
    if type(control).admit_many is not Control.admit_many:
        found.append(_Admission(control.admit_many, control.options_only))
    return found


class _Admission(NamedTuple):
    admit: AdmitMany
    options_only: bool
