"""What a control may see and ask of the consumer it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    import threading
    from collections.abc import Callable

    from fsdf_core.broker import Queue
    from fsdf_core.clock import Clock
    from fsdf_core.message import Message
    from fsdf_core.pool import Pool


def _nothing() -> None: ...


@dataclass(frozen=True)
class Host:
    """One run of a consumer, from its start to its stop.

    Attributes:
        queue: where its messages come from.
        consumer_id: unique among living and dead consumers.
        pool: where the function runs.
        clock: the time.
        logger: the consumer's logger.
        stopping: set when the consumer begins to stop; waits of a control end with it.
        wake: ask for credit again now; also ends a waiting `receive`.
        abandon: settle a running message as failed with the error, now; the pool gets a worker more until the
            stuck one ends. For controls that have told the running call to raise `Abandoned` when it ends.
        batched: the function takes a list of calls, also for one that is run again alone.
        running: returns the messages that run now with the times of their beginnings, if a control wants runs.
        observe: from now on build `message.outcome` for successes too; see `Control.wants_outcomes`.
    """

    queue: Queue
    consumer_id: str
    pool: Pool
    clock: Clock
    logger: logging.Logger
    stopping: threading.Event
    wake: Callable[[], None]
    abandon: Callable[[Message, BaseException], None]
    observe: Callable[[], None] = _nothing
    running: Callable[[], list[tuple[Message, float]]] = list
    batched: bool = False


class Abandoned(BaseException):
    """A call ended whose message was settled without waiting for it; its result goes nowhere."""
