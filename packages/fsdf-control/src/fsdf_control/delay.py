"""Run a task at its time, not before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fsdf_control import moments
from fsdf_control.number_option import NumberOption, is_number
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.codec import decode
from fsdf_core.control import Control
from fsdf_core.errors import ConfigurationError, DecodeError
from fsdf_core.verdict import DeadLetter, Drop, Requeue
from fsdf_core.verdict import Delay as PutOff

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from fsdf_core.clock import Clock
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.verdict import Admission

COUNTDOWN, ETA, MISFIRE = "countdown", "eta", "misfire_grace_time"
"""Keys of `extra`: seconds after `publish_time`; a moment; how many seconds late a task may begin."""

_PUBLISHED = "publish_time"

_EARLY = 0.005
"""A task may begin so many seconds early."""

_GRID = 0.05
"""Waits of a second and more end on this grid, so that the messages of a batch are put off together."""


class Delay(Control):
    """Makes messages with a `countdown` or an `eta` wait on the queue until they are due.

    Producer's side: the message is sent with a delay, and an `eta` is written with its offset from UTC, so that
    every zone reads it alike. Consumer's side: what arrives early (from a foreign producer, or from a broker that
    has no delay) is put off; it occupies no worker. A message whose time cannot be read goes to the dead-letter
    queue: nobody knows when to run it.

    `countdown` is in seconds and counts from `publish_time`. `eta` is a datetime, ISO text or seconds since the
    epoch; without an offset it is read in `timezone` (see `moments` for the changes of the clocks).

    Args:
        timezone: IANA name; default None: the machine's zone.
        misfire_grace_time: a task that could begin only more than this many seconds late is dropped; default
            None: it runs however late. A message's `extra["misfire_grace_time"]` goes first. It means the first
            start: retries and redeliveries after a crash run.
        clock: the time; default: the consumer's clock.

    Raises:
        ConfigurationError: the time zone is unknown; when publishing: both or none readable of the two were given.
        ValueError: `misfire_grace_time` is not above 0.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.testing.clock import ManualClock
        >>> delay = Delay(clock=ManualClock(1000.0))
        >>> message = Message({}, {"publish_time": 1000.0, "countdown": 0.5})
        >>> delay.on_publish(message)
        >>> message.delay
        0.5
        >>> delay.admit_many([message])
        [Delay(seconds=0.5)]
    """

    options_only = True

    def __init__(
        self, timezone: str | None = None, *, misfire_grace_time: float | None = None, clock: Clock | None = None
    ) -> None:
        if misfire_grace_time is not None and not misfire_grace_time > 0:
            raise ValueError(f"misfire_grace_time must be above 0 s, not {misfire_grace_time}: None is for ever")
        self._zone = moments.zone_of(timezone)
        self._grace = misfire_grace_time
        self._grace_option = NumberOption(MISFIRE, least=1e-9)
        self._given_clock = clock
        self._clock = clock or SYSTEM_CLOCK
        self._logger: logging.Logger = self._grace_option.logger

    def on_publish(self, message: Message) -> None:
        """Let the message be sent with a delay.

        Raises:
            ConfigurationError: the time cannot be read, or is given twice.
        """
        extra = message.extra
        if extra.get(COUNTDOWN) is None and extra.get(ETA) is None:
            return
        if extra.get(COUNTDOWN) is not None and extra.get(ETA) is not None:
            raise ConfigurationError("give countdown or eta, not both")
        now = self._clock.time()
        due = self._due(extra, now)
        if extra.get(ETA) is not None:
            extra[ETA] = moments.iso_text(due, self._zone)
        message.delay = max(0.0, due - now)

    def start(self, host: Host) -> None:
        """Take the consumer's clock, if there is no other, and its logger."""
        self._clock = self._given_clock or host.clock
        self._logger = self._grace_option.logger = host.logger

    def admit_many(self, messages: Sequence[Message]) -> Sequence[Admission | None]:
        """Put off what is early, drop what is too late."""
        answers: list[Admission | None] = [None] * len(messages)
        now: float | None = None
        late: list[str] = []
        for place, message in enumerate(messages):
            extra = message.extra
            if COUNTDOWN not in extra and ETA not in extra:
                continue
            now = self._clock.time() if now is None else now
            answer = answers[place] = self._answer(message, now)
            if isinstance(answer, Drop):
                late.append(message.task_id)
        if late:
            self._logger.warning("dropped %d task(s) that came too late to begin: %s", len(late), shown(late))
        return answers

    def _answer(self, message: Message, now: float) -> Admission | None:
        extra = message.extra
        if extra.get(COUNTDOWN) is None and extra.get(ETA) is None:
            return None
        try:
            due = self._due(extra, now)
        except ConfigurationError as error:
            self._logger.error(  # noqa: TRY400 - its traceback says nothing
                "task %s to the dead-letter queue: %s", message.task_id, error
            )
            return DeadLetter("its time cannot be read", str(error))
        ahead = due - now
        if ahead > _EARLY:
            wait = ahead if ahead < 1 else math.ceil(ahead / _GRID) * _GRID
            if extra.get(ETA) is None and not _says_when_published(message):
                # Its countdown would begin anew with each delivery.
                return Requeue(wait, {ETA: moments.iso_text(due, self._zone), COUNTDOWN: None})
            return PutOff(wait)
        grace = self._grace_option.of(message, self._grace)
        if grace is not None and -ahead > grace and _is_first(message):
            return Drop(f"misfired: {-ahead:.1f} s late, {grace:g} s are allowed")
        return None

    def _due(self, extra: dict[str, Any], now: float) -> float:
        if extra.get(ETA) is not None:
            return moments.epoch_of(extra[ETA], self._zone)
        countdown = extra[COUNTDOWN]
        if not is_number(countdown):
            raise ConfigurationError(f"countdown must be a number of seconds, not {countdown!r:.80}")
        published = extra.get(_PUBLISHED)
        due = (float(published) if is_number(published) else now) + countdown
        moments.iso_text(due, self._zone)
        return due


def shown(task_ids: Sequence[str], most: int = 3) -> str:
    """Return some of the ids, for a log line about a batch."""
    return ", ".join(task_ids[:most]) + (", …" if len(task_ids) > most else "")


def _says_when_published(message: Message) -> bool:
    """Whether the producer did: what the consumer filled in does not come back with the message."""
    if message.delivery is None:
        return True
    try:
        return is_number(decode(message.delivery.body).extra.get(_PUBLISHED))
    except DecodeError:
        return False


def _is_first(message: Message) -> bool:
    return message.attempt == 1 and (message.delivery is None or message.delivery.delivery_count <= 1)
