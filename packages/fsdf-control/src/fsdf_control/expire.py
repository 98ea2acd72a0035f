"""Do not run what has become too old."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fsdf_control.delay import shown
from fsdf_control.number_option import NumberOption
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import Control
from fsdf_core.verdict import Drop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.clock import Clock
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.verdict import Admission


class Expire(Control):
    """Drops messages that would begin more than `seconds` after their `publish_time`; retries of the queue too.

    The age compares the producer's clock with the consumer's. A message without a publish time (from a foreign
    producer) never expires.

    Args:
        seconds: longest age; 0 (default) for none. A message's `extra["msg_expire_seconds"]` goes first.
        clock: the time; default: the consumer's clock.

    Raises:
        ValueError: `seconds` is negative.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.testing.clock import ManualClock
        >>> Expire(60, clock=ManualClock(1061.0)).admit_many([Message({}, {"task_id": "t", "publish_time": 1000.0})])
        [Drop(reason='expired: 61.0 s old, 60 s are allowed')]
    """

    def __init__(self, seconds: float = 0.0, *, clock: Clock | None = None) -> None:
        if not seconds >= 0:
            raise ValueError(f"seconds must be at least 0, not {seconds}: 0 is for ever")
        self._seconds = seconds
        self._given_clock = clock
        self._clock = clock or SYSTEM_CLOCK
        self._logger = logging.getLogger("fsdf.control")
        self._age_option = NumberOption("msg_expire_seconds")
        self._published = NumberOption("publish_time")

    def start(self, host: Host) -> None:
        """Take the consumer's clock, if there is no other, and its logger."""
        self._clock = self._given_clock or host.clock
        self._logger = self._age_option.logger = self._published.logger = host.logger

    def admit_many(self, messages: Sequence[Message]) -> Sequence[Admission | None]:
        """Drop what is too old."""
        now = self._clock.time()
        answers = [self._answer(message, now) for message in messages]
        if any(answers):
            old = [message.task_id for message, answer in zip(messages, answers, strict=True) if answer]
            self._logger.warning("dropped %d expired task(s): %s", len(old), shown(old))
        return answers

    def _answer(self, message: Message, now: float) -> Drop | None:
        most = self._age_option.of(message, self._seconds)
        if not most:
            return None
        age = now - self._published.of(message, now)
        return Drop(f"expired: {age:.1f} s old, {most:g} s are allowed") if age > most else None
