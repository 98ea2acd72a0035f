"""Acknowledges finished messages in natural batches: while one batch is stored, the next one gathers.

Effects come before the acknowledgement: a dead letter is stored first, the acknowledgement goes last.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from fsdf_core.backoff import Backoff
from fsdf_core.control import overriding
from fsdf_core.dead_letter import SUFFIX, dead_letter
from fsdf_core.digests import begin_to_store, digesting, stored
from fsdf_core.errors import BrokerUnavailable, StorageError
from fsdf_core.inbox import Inbox
from fsdf_core.parking import Parking
from fsdf_core.resend import resent
from fsdf_core.stall import Stall
from fsdf_core.verdict import DeadLetter, Delay, Release, Requeue

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from fsdf_core.broker import Delivery, Queue, Subscription
    from fsdf_core.clock import Clock
    from fsdf_core.control import Control
    from fsdf_core.digests import Begun
    from fsdf_core.message import Message

_IDLE = 1.0


class Settler:
    """One thread that settles what the workers finished.

    Args:
        queue: the consumer's queue.
        subscription: where acknowledgements go.
        controls: those that store effects before.
        on_finished: called after a batch was taken over, so that the dispatcher can fetch more.
        on_stalled: called about once a second while messages are out and none finishes.
        clock: time of dead letters.
        logger: where trouble is logged.
    """

    def __init__(
        self,
        queue_: Queue,
        subscription: Subscription,
        controls: Sequence[Control],
        *,
        on_finished: Callable[[], None],
        on_stalled: Callable[[], None],
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self.finished = 0
        """Messages that left the workers; written by the settler's thread only."""
        self.turns = 0
        """Grows while the thread moves, whatever it achieves."""
        self._settled = 0
        self._queue = queue_
        self._subscription = subscription
        self._effects = overriding(controls, "on_settle")
        self._counters = overriding(controls, "on_successes")
        self._digesting = digesting(controls)
        self._begun: Begun | None = None
        self._on_finished = on_finished
        self._on_stalled = on_stalled
        self._clock = clock
        self._logger = logger
        self._retryable: tuple[type[BaseException], ...] = (
            *queue_.broker.retryable_errors,
            BrokerUnavailable,
            StorageError,
        )
        self.inbox = Inbox()
        """Where workers put what they have finished."""
        self._dead_letters: Queue | None = None
        self._parking = None if queue_.broker.capabilities.delay else Parking()
        self._progress = threading.Condition()
        self._abandoned = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"fsdf-settle-{queue_.name}", daemon=True)
        self.settle = self.inbox.put
        self.start = self._thread.start
        self.is_alive = self._thread.is_alive

    def settle_many(self, messages: Sequence[Message]) -> None:
        """Hand over messages."""
        for message in messages:
            self.settle(message)

    def wait_settled(self, count: int, timeout: float) -> bool:
        """Wait until `count` messages are settled, counted from the start; True if they are in time."""
        with self._progress:
            return self._progress.wait_for(lambda: self._settled >= count, timeout)

    def close(self, timeout: float) -> bool:
        """Settle what was handed over, then end; after `timeout` seconds give up. True if nothing was left."""
        self._closing = True
        self.inbox.put(None)
        self._thread.join(timeout)
        if not self._thread.is_alive():
            return True
        self._abandoned.set()
        self._thread.join(_IDLE)
        return False

    def _run(self) -> None:
        stall = Stall(time.monotonic(), _IDLE)
        while True:
            self.turns += 1
            messages, successes, ending = self._gather()
            if count := len(messages) + len(successes):
                self.finished += count
                self._on_finished()
                self._settle(messages, successes)
            if not successes or ending:
                self._complete()
            if self._parking is not None:
                self._put_back(self._parking.due(), 0.0)
            if ending:
                self._unpark()
                return
            if stall.reached(time.monotonic(), self.finished):
                self._on_stalled()

    def _unpark(self) -> None:
        """Give back what still waits, uncounted: it was never started. Changed control data are sent."""
        waiting = self._parking.clear() if self._parking is not None else []
        changed = [each for each in waiting if isinstance(each.settlement, Requeue) and each.settlement.extra]
        self._put_back(changed, 0.0)
        if same := [each.delivery for each in waiting if each not in changed]:
            self._insist(self._subscription.release, same)

    def _gather(self) -> tuple[list[Message], list[Any], bool]:
        """Wait for finished messages and take all there are; True if they are the last."""
        wait = 0.0 if self._begun else _IDLE if self._parking is None else self._parking.wait(_IDLE)
        batch, successes = self.inbox.take(wait)
        if not self._closing:
            return batch, successes, False  # type: ignore[return-value] # there is no None before `close`
        messages = [message for message in batch if message is not None]
        return messages, successes, len(messages) < len(batch)

    def _settle(self, messages: list[Message], successes: list[Any]) -> None:
        acks: list[Delivery | None] = []
        if successes:
            self._count(len(successes))
            if self._digesting:
                begun = begin_to_store(self._digesting, successes)
                self._complete()
                self._begun = begun
            else:
                acks = successes
        # Not acknowledged without their effects: the broker delivers them again.
        if messages and all(self._store_effect(effect, messages) for effect in self._effects):
            settled = [message.delivery for message in messages if message.settlement is None]
            if len(settled) < len(messages):
                settled += self._settle_exceptions([message for message in messages if message.settlement is not None])
            acks = acks + settled
        if acks:
            self._insist(self._subscription.ack, acks)
        self._progressed(len(messages) + (0 if self._begun else len(successes)))

    def _complete(self) -> None:
        """Wait until the digests are stored that were begun, and acknowledge."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        for control, kept, wait in zip(self._digesting, begun.kept, begun.waits, strict=True):
            if not stored(wait) and not self._store_effect(control.on_digests, kept):
                break
        else:
            self._insist(self._subscription.ack, begun.deliveries)
        self._progressed(len(begun.deliveries))

    def _progressed(self, count: int) -> None:
        with self._progress:
            self._settled += count
            self._progress.notify_all()

    def _count(self, successes: int) -> None:
        for counter in self._counters:
            try:
                counter(successes)
            except Exception:
                self._logger.exception("an effect of %s failed", type(counter.__self__).__name__)

    def _store_effect(self, effect: Any, batch: Sequence[Any]) -> bool:
        retryable = effect.__self__.retryable_errors

        def store(batch: Sequence[Any]) -> None:
            try:
                effect(batch)
            except (*self._retryable, *retryable):
                raise
            except Exception:
                # A control's own fault is no reason to run tasks again for ever.
                self._logger.exception("an effect of %s failed", type(effect.__self__).__name__)

        return self._insist(store, batch, retryable)

    def _settle_exceptions(self, messages: list[Message]) -> list[Delivery | None]:
        """Carry out verdicts; return what is left to acknowledge."""
        acks: list[Delivery | None] = []
        dead: list[Message] = []
        released: list[Delivery | None] = []
        back: defaultdict[float, list[Message]] = defaultdict(list)
        for message in messages:
            match message.settlement:
                case DeadLetter():
                    dead.append(message)
                case Requeue(delay) | Delay(delay):
                    back[delay].append(message)
                case Release():
                    released.append(message.delivery)
                case _:
                    acks.append(message.delivery)
        if dead and self._insist(self._store_dead, dead):
            acks += [message.delivery for message in dead]
        for delay, group in back.items():
            if delay > 0 and self._parking is not None:
                self._parking.park(group, delay)
            else:
                self._put_back(group, delay)
        if released:
            self._insist(self._subscription.release, released)
        return acks

    def _put_back(self, messages: list[Message], delay: float) -> None:
        same: list[Delivery | None] = []
        changed: list[Message] = []
        for message in messages:
            if isinstance(message.settlement, Requeue) and message.settlement.extra:
                changed.append(message)
            else:
                same.append(message.delivery)
        if same:
            self._insist(lambda batch: self._subscription.requeue(batch, delay), same)
        if changed and self._insist(lambda batch: self._resend(batch, delay), changed):
            self._insist(self._subscription.ack, [message.delivery for message in changed])

    def _resend(self, messages: list[Message], delay: float) -> None:
        anew = [
            resent(message, message.settlement.extra or {}, self._queue, delay)
            for message in messages
            if isinstance(message.settlement, Requeue)
        ]
        if not self._subscription.resend(anew):
            self._queue.send(anew)

    def _store_dead(self, messages: list[Message]) -> None:
        if self._dead_letters is None:
            self._dead_letters = self._queue.broker.queue(self._queue.name + SUFFIX)
        target = self._dead_letters
        now = self._clock.time()
        target.send(
            [
                dead_letter(message, message.settlement, target, now)
                for message in messages
                if isinstance(message.settlement, DeadLetter)
            ]
        )

    def _insist(
        self, action: Callable[[Any], None], batch: Sequence[Any], retryable: tuple[type[BaseException], ...] = ()
    ) -> bool:
        """Do it, waiting out a broker or store that is away. False if given up: the broker will deliver again."""
        backoff = Backoff()
        said = False
        while True:
            self.turns += 1
            try:
                action(batch)
            except (*self._retryable, *retryable) as error:
                if not said:
                    said = True
                    self._logger.warning("cannot settle %d message(s) now, trying on: %s", len(batch), error)
                if self._abandoned.wait(backoff.next()):
                    return False
            except Exception:
                self._logger.exception("cannot settle %d message(s): they will be delivered again", len(batch))
                return False
            else:
                return True
