"""Controls that work only for messages which ask for them, at next to no cost for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_control import Timeout
from fsdf_core.control import Control

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.control import Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.verdict import Admission

_PLAIN = 3
"""Keys of the `extra` of a message without options: task_id, publish_time, publish_time_format."""


class OnDemand(Control):
    """Lets a control screen only the messages whose `extra` has one of the keys; starts it with the first.

    Args:
        inner: the control, or what builds it.
        *keys: of `extra`.
    """

    wants_outcomes = False

    def __init__(self, inner: Control | Callable[[], Control], *keys: str) -> None:
        self._inner = inner
        self._keys = keys
        self._host: Host | None = None
        self._working: Control | None = None

    def start(self, host: Host) -> None:
        """Remember where, for later."""
        self._host = host

    def stop(self) -> None:
        """Stop the control if it was started."""
        if self._working is not None:
            self._working.stop()
            self._working = None
            self.retryable_errors = ()

    def tick(self, now: float) -> None:
        """Pass on."""
        if self._working is not None:
            self._working.tick(now)

    def admit_many(self, messages: Sequence[Message]) -> Sequence[Admission | None]:
        """Screen those that ask for it."""
        answers: list[Admission | None] = [None] * len(messages)
        asking = [
            place
            for place, message in enumerate(messages)
            if len(message.extra) > _PLAIN and any(key in message.extra for key in self._keys)
        ]
        if asking:
            verdicts = self._control().admit_many([messages[place] for place in asking])
            for place, verdict in zip(asking, verdicts, strict=True):
                answers[place] = verdict
        return answers

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Pass on."""
        if self._working is not None:
            self._working.on_settle(messages)

    def _control(self) -> Control:
        if self._working is None:
            control = self._inner if isinstance(self._inner, Control) else self._inner()
            if self._host is not None:
                control.start(self._host)
                self._host.observe()
            self.retryable_errors = control.retryable_errors
            self._working = control
        return self._working


class TimeoutOnDemand(Timeout):
    """A `Timeout` for messages that carry `function_timeout` only."""

    def __init__(self) -> None:
        super().__init__(None)

    def around(self, call: Call) -> Call:
        """Look for the option, and go around the watchdog without it."""
        watched = super().around(call)

        def run(message: Message) -> object:
            return (watched if "function_timeout" in message.extra else call)(message)

        return run
