"""A task message as producers and consumers see it in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fsdf_core.broker import Delivery
    from fsdf_core.outcome import Outcome
    from fsdf_core.verdict import Settlement

EXTRA = "extra"
"""The reserved top-level key of a message that holds its control data."""


STAMPS = ("task_id", "publish_time", "publish_time_format")
"""Keys of `extra` that every producer of ours stamps, in order; a message with these alone has no options."""

ATTEMPTS = "_advanced_retry_count"
"""Key of `extra`: how often the task ran before its message was sent anew."""


class Run(NamedTuple):
    """One call of the function: begin and end in seconds since the epoch, what it raised, and the thread it was in."""

    began: float
    ended: float
    error: BaseException | None
    thread: int


class Message:
    """One call of the queue's function.

    Attributes:
        arguments: the function's keyword arguments.
        extra: control data: `task_id`, `publish_time` (seconds since the epoch), overrides, ….
        delivery: what the broker handed over; None on the producer's side.
        attempt: number of the current run, from 1.
        settlement: what becomes of the message instead of a plain acknowledgement, or None.
        outcome: how it ended in a worker; None before that, and after a success that nobody observes.
        plain: on the consumer's side: it has no options in `extra`, and is no sample for `Control.around_every`.
        queue_name: the queue it was received from, or goes to.
        began: when its last run began, seconds since the epoch, if a control wants runs; 0 before that.
        ended: when that ended; 0 while it runs.
        thread: identifier of the thread it was in; set with `began`.
        earlier: its runs that raised or were repeated, if a control wants runs.
        result: what the function returned, if a control wants runs; None before that.
        encoded: that as JSON, if a control has encoded it.
        delay: on the producer's side only, seconds before it may be delivered; set by the publisher or a control.
        priority: on the producer's side only, 0 (low) and up; likewise.
    """

    delay: float
    priority: int
    thread: int

    __slots__ = (
        "arguments",
        "attempt",
        "began",
        "delay",
        "delivery",
        "earlier",
        "encoded",
        "ended",
        "extra",
        "outcome",
        "plain",
        "priority",
        "queue_name",
        "result",
        "settlement",
        "thread",
    )

    def __init__(
        self, arguments: dict[str, Any], extra: dict[str, Any], delivery: Delivery | None = None, queue_name: str = ""
    ) -> None:
        self.arguments = arguments
        self.extra = extra
        self.delivery = delivery
        self.attempt = 1
        self.settlement: Settlement | None = None
        self.outcome: Outcome | None = None
        self.queue_name = queue_name
        self.plain = False
        self.began = self.ended = 0.0
        self.earlier: tuple[Run, ...] = ()
        self.result: Any = None
        self.encoded: bytes | None = None

    @property
    def task_id(self) -> str:
        """The task's id; integers of foreign producers become text."""
        return str(self.extra["task_id"])

    def __repr__(self) -> str:
        return f"Message({self.arguments!r}, task_id={self.extra.get('task_id')!r})"
