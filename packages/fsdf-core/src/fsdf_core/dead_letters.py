"""What is on a queue's dead-letter queue: look at it, send it back, throw it away."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsdf_core.broker import OutgoingMessage
from fsdf_core.codec import decode
from fsdf_core.dead_letter import NOTE, SUFFIX, original_body
from fsdf_core.errors import DecodeError, UnsupportedFeature
from fsdf_core.message import ATTEMPTS, Message
from fsdf_core.resend import resent
from fsdf_core.run import new_consumer_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from fsdf_core.broker import Body, Delivery, Queue, Subscription

_BATCH = 200
"""How many messages are moved at once."""

_UNCOUNTED = 10_000
"""Most messages that one call looks at where the broker cannot say how many there are."""

_PATIENCE, _GLANCE = 1.0, 0.1
"""Seconds to wait for a message that should be there, and for one that may be."""

# What would keep a task that comes back late from running, or make it wait again.
_ANEW = dict.fromkeys((NOTE, ATTEMPTS, "countdown", "eta", "misfire_grace_time", "publish_time_format"))


@dataclass(frozen=True)
class DeadTask:
    """One message of a dead-letter queue.

    Attributes:
        task_id: the task's id; a new one if the body was no task message.
        arguments: the function's arguments; {} if the body was no task message.
        body: the body if it was no task message, else None.
        reason: why it is there.
        error: "Type: text" of what the task raised last; "" if it did not.
        traceback: where it raised.
        attempts: how often the task ran.
        deliveries: how often it was delivered without an outcome; 0 where the broker cannot tell.
        time: when it came here, in seconds since the epoch; 0 if nobody noted it.
        queue: where it came from.
    """

    task_id: str
    arguments: dict[str, Any] = field(default_factory=dict)
    body: Body | None = None
    reason: str = ""
    error: str = ""
    traceback: str = ""
    attempts: int = 0
    deliveries: int = 0
    time: float = 0.0
    queue: str = ""


class DeadLetters:
    """The dead-letter queue `<queue>_dlx` of a queue, on the same broker.

    Messages that a call looks at are its own until it returns; another call at the same time does not see them.
    Where the broker can put a message back to its place, looking changes no order. A crash in the midst of a call
    loses nothing: what was not yet dropped is there again, what was replayed may be replayed once more.

    Args:
        queue: the queue whose tasks died.

    Raises:
        UnsupportedFeature: the broker has no acknowledgements, so looking would lose.

    Example:
        >>> from fsdf_core.brokers.memory import MemoryBroker
        >>> DeadLetters(MemoryBroker().queue("sums")).list()
        []
    """

    def __init__(self, queue: Queue) -> None:
        if not queue.broker.capabilities.acks:
            raise UnsupportedFeature(
                f"{type(queue.broker).__name__} has no acknowledgements, so its dead letters cannot be looked at "
                f"without losing them: consume {queue.name + SUFFIX!r} like any queue, or choose another broker_kind"
            )
        self._origin = queue
        self._opened: Queue | None = None

    def count(self) -> int:
        """Return how many messages there are.

        Raises:
            UnsupportedFeature: the broker cannot count.
        """
        if not self._queue.broker.capabilities.size:
            raise UnsupportedFeature(f"{type(self._queue.broker).__name__} cannot count messages: use list()")
        return self._queue.size().total

    def list(self, limit: int = 100) -> list[DeadTask]:
        """Return up to `limit` messages, the oldest first where the broker keeps order."""
        found: list[DeadTask] = []

        def look(deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
            found.extend(dead_task(delivery) for delivery in deliveries)
            return []

        self._visit(look, limit)
        return found

    def replay(self, task_ids: Collection[str] | None = None, limit: int | None = None) -> int:
        """Send messages back to their queue, as new: no attempt counted, due at once, published now.

        A body that was no task message goes back as it was.

        Args:
            task_ids: which; default None: all.
            limit: how many at most; default None: as many as there are when the call begins.

        Returns:
            How many were sent back.
        """

        def send_back(deliveries: Sequence[Delivery], subscription: Subscription) -> None:
            self._origin.send([self._revived(delivery) for delivery in deliveries])
            subscription.ack(deliveries)

        return self._move(send_back, task_ids, limit)

    def drop(self, task_ids: Collection[str] | None = None) -> int:
        """Delete messages, by default all; return how many."""
        return self._move(lambda deliveries, subscription: subscription.ack(deliveries), task_ids, None)

    @property
    def _queue(self) -> Queue:
        if self._opened is None:
            self._opened = self._origin.broker.queue(self._origin.name + SUFFIX)
        return self._opened

    def _move(
        self,
        move: Callable[[Sequence[Delivery], Subscription], None],
        task_ids: Collection[str] | None,
        limit: int | None,
    ) -> int:
        wanted = None if task_ids is None else {str(task_id) for task_id in task_ids}
        if wanted is not None and not wanted:
            return 0
        moved = 0

        def choose(deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
            nonlocal moved
            chosen = [each for each in deliveries if wanted is None or dead_task(each).task_id in wanted]
            if limit is not None:
                chosen = chosen[: max(0, limit - moved)]
            moved += len(chosen)
            return chosen

        self._visit(choose, limit if wanted is None else None, move)
        return moved

    def _visit(
        self,
        choose: Callable[[Sequence[Delivery]], Sequence[Delivery]],
        limit: int | None,
        move: Callable[[Sequence[Delivery], Subscription], None] | None = None,
    ) -> None:
        """Receive what is there now; move what is chosen, give back the rest."""
        countable = self._queue.broker.capabilities.size
        left = self._queue.size().ready if countable else _UNCOUNTED
        if limit is not None:
            left = min(left, limit)
        if left <= 0:
            return
        subscription = self._queue.subscribe(new_consumer_id(), left)
        held: deque[Delivery] = deque()
        try:
            while left > 0:
                deliveries = subscription.receive(min(left, _BATCH), _PATIENCE if countable else _GLANCE)
                if not deliveries:
                    break
                left -= len(deliveries)
                chosen = choose(deliveries)
                rest = [delivery for delivery in deliveries if delivery not in chosen] if chosen else deliveries
                held += rest
                if chosen and move is not None:
                    move(chosen, subscription)
        finally:
            try:
                if held:
                    subscription.release(tuple(held))
            finally:
                subscription.close()

    def _revived(self, delivery: Delivery) -> OutgoingMessage:
        dead = dead_task(delivery)
        if dead.body is not None:
            return OutgoingMessage(dead.body)
        message = Message({}, {}, delivery)
        return resent(message, {**_ANEW, "publish_time": round(time.time(), 4)}, self._origin)


def dead_task(delivery: Delivery) -> DeadTask:
    """Read a message of a dead-letter queue; anything may be there."""
    try:
        message = decode(delivery.body)
    except DecodeError as error:
        return DeadTask("", body=delivery.body, reason=f"not put here by fsdf: {error}")
    note = message.extra.get(NOTE)
    if not isinstance(note, dict):
        note = {}
    body = original_body(message.arguments, note)
    return DeadTask(
        str(message.extra.get("task_id", "")),
        message.arguments if body is None else {},
        body,
        reason=str(note.get("reason", "")),
        error=str(note.get("error", "")),
        traceback=str(note.get("traceback", "")),
        attempts=int(_number(note, "attempts")),
        deliveries=int(_number(note, "deliveries")),
        time=_number(note, "time"),
        queue=str(note.get("queue", "")),
    )


def _number(note: dict[str, Any], name: str) -> float:
    value = note.get(name)
    return value if isinstance(value, int | float) else 0
