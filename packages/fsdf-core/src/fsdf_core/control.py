"""The contract of a control: one rule about whether, when or how a task runs.

A control overrides the hooks it needs; hooks that no control overrides cost nothing, because the consumer and
the publisher compose the overridden ones once, at start. Policies take the time as an argument or from a
clock given to them, so that they are tested without threads, brokers or sleeping.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from fsdf_core.message import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.host import Host
    from fsdf_core.outcome import Outcome
    from fsdf_core.verdict import Admission, Drop, Recovery

Call = Callable[[Message], Any]
"""Runs the function for a message and returns its result."""

AsyncCall = Callable[[Message], Awaitable[Any]]
"""The same for `async def` functions."""

UNLIMITED = math.inf


class Control:
    """A rule with no effect; subclass it and override hooks.

    Attributes:
        requires: names of `Capabilities` that the control cannot work without; checked at start.
        retryable_errors: exceptions of `on_settle` that mean "try again": the batch waits, unacknowledged.
        options_only: whether `on_publish` and `admit_many` need to see only messages that may have options in
            `extra`.
        around_options_only: whether `around` and `around_async` need to see only messages that may have options in
            `extra`.
        around_digested: whether `around` and `around_async` need to see messages without options that `digest` will see
            after them, if no other control has an `around` for such messages.
        settle_options_only: whether `on_settle` needs to see only messages that may have options in `extra`, or did
            not simply succeed; `on_successes` tells the number of the others, unless another control wants to see them.
            A control that keeps something of these, too, overrides `digest` instead.
        wants_runs: whether the runs of messages are to be noted: their `began`, `ended`, `thread`, `result`, `earlier`.
        wants_outcomes: whether `on_settle` needs `message.outcome` of successes; False saves building them. May
            become True while the consumer runs, by `Host.observe`.
    """

    requires: ClassVar[frozenset[str]] = frozenset()
    retryable_errors: tuple[type[BaseException], ...] = ()
    options_only: bool = False
    around_options_only: bool = False
    around_digested: bool = True
    settle_options_only: bool = False
    wants_runs: bool = False
    wants_outcomes: bool = True

    def on_publish(self, message: Message) -> Drop | None:
        """Producer's side, before encoding: stamp `message.extra`, or raise to refuse.

        A `Drop` keeps the message from being sent, without an error.
        """

    def withdraw(self, message: Message) -> None:
        """A message that `on_publish` let pass could not be sent: take back what was noted about it."""

    def start(self, host: Host) -> None:
        """A consumer starts. May do I/O; an exception keeps the consumer from starting."""

    def stop(self) -> None:
        """The consumer has stopped; called once for each `start`. Must not raise."""

    def tick(self, now: float) -> None:
        """About twice a second at the monotonic time `now`, in a thread for such work: may do I/O."""

    def credit(self, now: float) -> float:  # noqa: ARG002 - contract
        """How many tasks may start at the monotonic time `now`: a whole number, 0, or UNLIMITED."""
        return UNLIMITED

    def next_credit(self, now: float) -> float:  # noqa: ARG002 - contract
        """Seconds until `credit` can be above 0 again; asked when it is 0."""
        return 1.0

    def spend(self, count: int, now: float) -> None:
        """`count` tasks, at most the credit given, are starting at the monotonic time `now`."""

    def admit(self, message: Message) -> Admission | None:
        """In the dispatcher, before the message takes a worker; None means: run it."""

    def admit_many(self, messages: Sequence[Message]) -> Sequence[Admission | None]:
        """`admit` for all messages that arrived together, for controls that do I/O; one answer for each.

        If it raises, all of them go back to the queue, to be delivered again.
        """
        return [None] * len(messages)

    def around(self, call: Call) -> Call:
        """Wrap the execution; called at start, the first control being the outermost.

        It is called twice where messages without options do not pass through all controls.
        """
        return call

    def around_every(self) -> int:
        """Overridden: one of so many messages without options goes through `around`, a sample; 0: none.

        Asked for each batch that arrives. Not overridden: each does.
        """
        return 1

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """`around` for `async def` functions."""
        return call

    def on_error(self, message: Message, error: BaseException, attempt: int) -> Recovery | None:
        """In the worker, after a run that raised; the first control that answers decides.

        `attempt` counts the runs of this delivery, from 1.
        """

    def on_outcome(self, message: Message, outcome: Outcome) -> None:
        """In the worker, after the last run and before the message is settled. Must be quick."""

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Before messages that leave the consumer are acknowledged or put back: store effects, in one batch.

        Called for each message once, whether it ran (`message.outcome`) or not (`message.settlement` says why).
        A message with neither has succeeded.
        """

    def on_successes(self, count: int) -> None:
        """Before `count` messages are acknowledged that `on_settle` need not see: see `settle_options_only`."""

    def digest(self, message: Message) -> Any:
        """In the worker, after a message without options has returned from its first run: what is kept of it.

        Overridden: where all controls that store effects do so, `on_digests` takes the place of `on_settle` for such
        a message, which spares it the way to another thread. It may be called in vain, so it must change nothing.

        Returns:
            Anything; None: `on_settle` must see the message.

        Raises:
            FsdfError: the task has failed by that. After any other exception `on_settle` sees the message.
        """

    def on_digests(self, digests: Sequence[Any]) -> None:
        """As `on_settle`, for what `digest` returned."""

    def begin_digests(self, digests: Sequence[Any]) -> Callable[[], None] | None:
        """Begin what `on_digests` does, and return what waits until it is done; None: it must be called.

        It is called, too, if the wait raises: what has been done must bear being done again.
        """


def overriding(controls: Sequence[Control], hook: str) -> list[Any]:
    """Return the bound methods of the controls that override the hook, in order."""
    default = getattr(Control, hook)
    return [getattr(control, hook) for control in controls if getattr(type(control), hook) is not default]
