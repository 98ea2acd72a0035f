"""Controls that work only for messages which ask for them, at next to no cost for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.control import Control

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.verdict import Admission


class OnDemand(Control):
    """Lets controls screen only the messages whose `extra` has one of their keys; starts each with its first.

    Args:
        builders: what builds a control, by the keys of `extra` that ask for it; asked in this order.
    """

    options_only = True
    settle_options_only = True
    wants_outcomes = False

    def __init__(self, builders: dict[tuple[str, ...], Callable[[], Control]]) -> None:
        self._builders = builders
        self._working: dict[tuple[str, ...], Control] = {}
        self._host: Host | None = None

    def start(self, host: Host) -> None:
        """Remember where, for later."""
        self._host = host

    def stop(self) -> None:
        """Stop the controls that were started."""
        for control in self._working.values():
            control.stop()
        self._working = {}
        self.retryable_errors = ()

    def tick(self, now: float) -> None:
        """Pass on."""
        for control in list(self._working.values()):
            control.tick(now)

    def admit_many(self, messages: Sequence[Message]) -> Sequence[Admission | None]:
        """Screen those that ask for it."""
        answers: list[Admission | None] = [None] * len(messages)
        asking = [place for place, message in enumerate(messages) if not message.plain]
        for keys in self._builders if asking else ():
            places = [
                place
                for place in asking
                if answers[place] is None and any(_asks(messages[place].extra.get(key)) for key in keys)
            ]
            if places:
                verdicts = self._control(keys).admit_many([messages[place] for place in places])
                for place, verdict in zip(places, verdicts, strict=True):
                    answers[place] = verdict
        return answers

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Pass on."""
        for control in list(self._working.values()):
            control.on_settle(messages)

    def _control(self, keys: tuple[str, ...]) -> Control:
        control = self._working.get(keys)
        if control is None:
            control = self._builders[keys]()
            if self._host is not None:
                control.start(self._host)
                if control.wants_outcomes:
                    self._host.observe()
            self.retryable_errors = (*self.retryable_errors, *control.retryable_errors)
            self._working[keys] = control
        return control


def _asks(value: object) -> bool:
    """Whether an option's value asks for its control: 0 does, to say "no limit"."""
    return value is not None and value is not False
