"""From deliveries to messages: decode, screen, ask the controls for admission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.codec import decode
from fsdf_core.control import overriding
from fsdf_core.errors import DecodeError
from fsdf_core.message import Message
from fsdf_core.task_id import new_task_id
from fsdf_core.verdict import DeadLetter

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from fsdf_core.broker import Delivery
    from fsdf_core.clock import Clock
    from fsdf_core.control import Control


class Intake:
    """Sorts deliveries into messages to run and messages to settle without a run.

    Args:
        controls: asked in order; the first that answers decides.
        max_deliveries: a message claimed more often than this without an outcome killed its workers and
            goes to the dead-letter queue.
        clock: stamps messages of foreign producers.
        logger: where refusals are logged.
    """

    def __init__(self, controls: Sequence[Control], max_deliveries: int, clock: Clock, logger: logging.Logger) -> None:
        self._admissions = overriding(controls, "admit")
        self._max_deliveries = max_deliveries
        self._clock = clock
        self._logger = logger

    def sort(self, deliveries: Sequence[Delivery]) -> tuple[list[Message], list[Message]]:
        """Return (messages to run, messages to settle)."""
        admitted: list[Message] = []
        refused: list[Message] = []
        most = self._max_deliveries
        admissions = self._admissions
        for delivery in deliveries:
            try:
                message = decode(delivery.body)
            except DecodeError as error:
                refused.append(self._undecodable(delivery, error))
                continue
            message.delivery = delivery
            if "task_id" not in message.extra:
                self._complete(message)
            if delivery.delivery_count > most:
                message.settlement = DeadLetter(
                    f"delivered {delivery.delivery_count - 1} times without an outcome: it probably kills its worker"
                )
                self._logger.error("task %s to the dead-letter queue: %s", message.task_id, message.settlement.reason)
                refused.append(message)
                continue
            for admit in admissions:
                verdict = admit(message)
                if verdict is not None:
                    message.settlement = verdict
                    refused.append(message)
                    break
            else:
                admitted.append(message)
        return admitted, refused

    def _complete(self, message: Message) -> None:
        message.extra["task_id"] = new_task_id()
        message.extra.setdefault("publish_time", round(self._clock.time(), 4))

    def _undecodable(self, delivery: Delivery, error: DecodeError) -> Message:
        self._logger.error("a body that is no task message goes to the dead-letter queue: %s", error)
        message = Message({}, {}, delivery)
        message.attempt = 0
        message.settlement = DeadLetter("undecodable", str(error))
        return message
