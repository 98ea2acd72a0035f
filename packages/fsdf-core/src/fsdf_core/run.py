"""The moving parts of a consumer between one start and its stop."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from fsdf_core.batch import BatchExecutor
from fsdf_core.dispatcher import Dispatcher
from fsdf_core.executor import Executor
from fsdf_core.host import Host
from fsdf_core.intake import Intake
from fsdf_core.pulse import Pulse
from fsdf_core.ready import opened
from fsdf_core.settler import Settler
from fsdf_core.ticker import Ticker
from fsdf_core.verdict import Release

if TYPE_CHECKING:
    from fsdf_core.consumer import Consumer
    from fsdf_core.control import Control
    from fsdf_core.ready import Ready

_TICK_GRACE = 2.0
"""Seconds that a control's tick has to end at a stop."""


class Run:
    """Subscribes, starts the controls, and wires dispatcher, executor and settler together.

    Args:
        owner: the consumer.

    Raises:
        BrokerError: the queue cannot be reached.
        Exception: whatever a control's `start` raises.
    """

    def __init__(self, owner: Consumer) -> None:
        self.stopped = threading.Event()
        self._stopping = threading.Event()
        self._ready: deque[Ready] = deque()
        self._head: Ready | None = None
        self._controls: list[Control] = []
        consumer_id = new_consumer_id()
        self._subscription = owner.queue.subscribe(consumer_id, owner.pool.max_workers)
        self.settler = Settler(
            owner.queue,
            self._subscription,
            owner.controls,
            on_finished=self._on_finished,
            on_stalled=self._on_stalled,
            clock=owner.clock,
            logger=owner.logger,
        )
        self._executor = self._build_executor(owner)
        self._dispatcher = Dispatcher(
            subscription=self._subscription,
            intake=Intake(owner.queue.name, owner.controls, owner.max_deliveries, owner.clock, owner.logger),
            pool=owner.pool,
            begin=self._executor.begin,
            ready=self._ready,
            settler=self.settler,
            controls=owner.controls,
            stopping=self._stopping,
            take_back=self._take_back,
            batch=owner.batch.size if owner.batch else 1,
            horizon=owner.queue.broker.prefetch_seconds,
            logger=owner.logger,
            name=owner.queue.name,
        )
        self._executor.feeder = self._dispatcher.thread
        if isinstance(self._executor, BatchExecutor):
            self._dispatcher.wanted = self._executor.wanted
        self._ticker = Ticker(owner.controls, owner.logger, owner.queue.name)
        self._start_controls(owner, consumer_id)

    @property
    def in_flight(self) -> int:
        """Messages taken from the broker and not yet finished."""
        return self._dispatcher.fetched - self.settler.finished

    def pulse(self, workers: int) -> Pulse:
        """Return whether the threads move, and what they have moved."""
        alive = self._stopping.is_set() or (self.settler.is_alive() and self._dispatcher.thread.is_alive())
        turns = self._dispatcher.turns, self.settler.turns
        return Pulse(self.in_flight, self.settler.finished, workers, turns, alive)

    def start(self) -> None:
        """Start the threads."""
        self.settler.start()
        self._ticker.start()
        self._dispatcher.start()

    def stop(self, timeout: float) -> bool:
        """End: see `Consumer.stop`."""
        deadline = time.monotonic() + timeout
        self._stopping.set()
        self._dispatcher.wake()
        self._take_back()
        clean = self._dispatcher.join(timeout)
        self._take_back()
        clean = clean and self.settler.wait_settled(self._dispatcher.fetched, max(0.0, deadline - time.monotonic()))
        flushed = self.settler.close(max(1.0, deadline - time.monotonic()))
        self._ticker.close(_TICK_GRACE)
        self._stop_controls()
        try:
            self._subscription.close()
        finally:
            self.stopped.set()
        # Settled, but the interpreter would wait for the threads of what is stuck.
        return clean and flushed and not self._executor.stuck

    def _build_executor(self, owner: Consumer) -> Executor:
        parts = (
            owner.function,
            owner.controls,
            self._ready,
            self.settler.inbox,
            owner.pool,
            self._stopping,
            owner.logger,
            owner.loop,
        )
        if getattr(owner.pool, "runs_coroutines", False):
            # Only here, because asyncio is slow to import.
            from fsdf_core.async_batch import AsyncBatchExecutor  # noqa: PLC0415
            from fsdf_core.async_executor import AsyncExecutor  # noqa: PLC0415

            return AsyncBatchExecutor(owner.batch, *parts) if owner.batch else AsyncExecutor(*parts)
        return BatchExecutor(owner.batch, *parts) if owner.batch else Executor(*parts)

    def _start_controls(self, owner: Consumer, consumer_id: str) -> None:
        host = Host(
            queue=owner.queue,
            consumer_id=consumer_id,
            pool=owner.pool,
            clock=owner.clock,
            logger=owner.logger,
            stopping=self._stopping,
            wake=self._dispatcher.wake,
            abandon=self._executor.abandon,
            observe=self._executor.observe,
            running=self._executor.running_now,
            batched=owner.batch is not None,
        )
        try:
            for control in owner.controls:
                control.start(host)
                self._controls.append(control)
        except BaseException:
            self._stop_controls()
            self._subscription.close()
            raise

    def _stop_controls(self) -> None:
        while self._controls:
            self._controls.pop().stop()

    def _on_finished(self) -> None:
        self._dispatcher.feed()

    def _on_stalled(self) -> None:
        """Give back what waits for a worker, unless it was made ready only since the last call."""
        try:
            head = self._ready[0]
        except IndexError:
            head = None
        if head is not None and head is self._head:
            self._take_back()
        self._head = head

    def _take_back(self) -> None:
        """Give messages that no worker has started back to the queue."""
        while True:
            try:
                message = opened(self._ready.pop())
            except IndexError:
                return
            message.settlement = Release()
            self.settler.settle(message)


def new_consumer_id() -> str:
    """Return a name that no other consumer has: host, process id, 64 random bits."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(8)}"
