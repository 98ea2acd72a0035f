"""Consumer: runs a function for each message of a queue."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from fsdf_core import lifecycle
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.dispatcher import Dispatcher
from fsdf_core.errors import ConsumerError, UnsupportedFeature
from fsdf_core.executor import Executor
from fsdf_core.intake import Intake
from fsdf_core.settler import Settler
from fsdf_core.verdict import Release

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from fsdf_core.broker import Queue, Subscription
    from fsdf_core.clock import Clock
    from fsdf_core.control import Control
    from fsdf_core.message import Message
    from fsdf_core.pool import Pool

DEFAULT_GRACE = 30.0
MAX_DELIVERIES = 5


class Consumer:
    """Runs `function(**arguments)` for each message, at least once, in the workers of a pool.

    A message is acknowledged after the function has returned, or has failed for good, and after every effect
    of that is stored; if the process dies before, another consumer runs it again.

    Args:
        function: the task; takes the message's keys as keyword arguments.
        queue: where messages come from.
        pool: where the function runs. The consumer does not close it; several may share one.
        controls: rules, the first being the outermost.
        max_deliveries: a message that was taken this often without an outcome goes to `<queue>_dlx`; default 5.
        grace: seconds that `stop()` gives running tasks by default; default 30.
        clock: the time, for controls and stamps.
        logger: default: the logger `fsdf.<queue>`.

    Raises:
        UnsupportedFeature: a control needs what the broker cannot do.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        queue: Queue,
        pool: Pool,
        controls: Sequence[Control] = (),
        max_deliveries: int = MAX_DELIVERIES,
        grace: float = DEFAULT_GRACE,
        clock: Clock = SYSTEM_CLOCK,
        logger: logging.Logger | None = None,
    ) -> None:
        self.function = function
        self.queue = queue
        self.pool = pool
        self.controls = tuple(controls)
        self.grace = grace
        self.logger = logger or logging.getLogger(f"fsdf.{queue.name}")
        self._max_deliveries = max_deliveries
        self._clock = clock
        self._lock = threading.Lock()
        self._run: _Run | None = None
        self._check_capabilities()

    @property
    def running(self) -> bool:
        """Whether the consumer was started and not yet stopped."""
        return self._run is not None

    @property
    def in_flight(self) -> int:
        """Messages taken from the broker and not yet finished."""
        run = self._run
        return run.in_flight if run else 0

    @property
    def finished(self) -> int:
        """Messages finished since the last start, in whatever way."""
        run = self._run
        return run.settler.finished if run else 0

    def start(self) -> None:
        """Begin to consume, in threads of its own; return at once.

        The process lives on, even if its main function ends, until `stop()`.

        Raises:
            ConsumerError: it runs already.
            BrokerError: the queue cannot be reached.
        """
        with self._lock:
            if self._run is not None:
                raise ConsumerError(f"the consumer of {self.queue.name!r} runs already: stop() it first")
            subscription = self.queue.subscribe(new_consumer_id(), self.pool.max_workers)
            self._run = _Run(self, subscription, self._max_deliveries, self._clock)
            lifecycle.track(self)
        self._run.start()
        self.logger.info("consuming %s with up to %d workers", self.queue.name, self.pool.max_workers)

    def stop(self, timeout: float | None = None) -> bool:
        """Take no more messages, let running tasks end, give back the rest, flush acknowledgements.

        Not to be called by the consumer's own task: it would wait for itself. Idempotent; `start()` works again.

        Args:
            timeout: seconds that running tasks have; default: the consumer's grace. Tasks that run longer are
                left alone, and their messages given back, so they will run again.

        Returns:
            True if every task that ran has ended and is acknowledged.
        """
        with self._lock:
            run = self._run
            if run is None:
                return True
            clean = run.stop(self.grace if timeout is None else timeout)
            self._run = None
        lifecycle.untrack(self)
        if clean:
            self.logger.info("stopped consuming %s", self.queue.name)
        else:
            self.logger.warning("stopped consuming %s while tasks still run: they will run again", self.queue.name)
        return clean

    def run(self) -> None:
        """Consume until SIGINT, SIGTERM or another thread's `stop()`; then return.

        In the main thread the signals are taken as `install_signal_handlers` says.
        """
        lifecycle.install_signal_handlers()
        if self._run is None:
            self.start()
        run = self._run
        while run is not None and not run.stopped.wait(1.0):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _check_capabilities(self) -> None:
        capabilities = self.queue.broker.capabilities
        for control in self.controls:
            lacking = [name for name in sorted(control.requires) if not getattr(capabilities, name)]
            if lacking:
                raise UnsupportedFeature(
                    f"{type(control).__name__} needs a broker with {', '.join(lacking)}, "
                    f"which {type(self.queue.broker).__name__} has not: choose another broker_kind"
                )


class _Run:
    """The moving parts between one start and its stop."""

    def __init__(self, owner: Consumer, subscription: Subscription, max_deliveries: int, clock: Clock) -> None:
        self.stopped = threading.Event()
        self._stopping = threading.Event()
        self._ready: deque[Message] = deque()
        self._subscription = subscription
        self.settler = Settler(
            owner.queue,
            subscription,
            on_finished=self._on_finished,
            on_stalled=self._take_back,
            clock=clock,
            logger=owner.logger,
        )
        executor = Executor(
            owner.function, owner.controls, self._ready, self.settler.settle, self._stopping, owner.logger
        )
        self._dispatcher = Dispatcher(
            subscription=subscription,
            intake=Intake(owner.controls, max_deliveries, clock, owner.logger),
            pool=owner.pool,
            run_next=executor.run_next,
            ready=self._ready,
            settler=self.settler,
            controls=owner.controls,
            stopping=self._stopping,
            logger=owner.logger,
            name=owner.queue.name,
        )

    @property
    def in_flight(self) -> int:
        return self._dispatcher.fetched - self.settler.finished

    def start(self) -> None:
        self.settler.start()
        self._dispatcher.start()

    def stop(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        self._stopping.set()
        self._dispatcher.wake()
        self._take_back()
        clean = self._dispatcher.join(timeout)
        self._take_back()
        clean = clean and self.settler.wait_settled(self._dispatcher.fetched, max(0.0, deadline - time.monotonic()))
        flushed = self.settler.close(max(1.0, deadline - time.monotonic()))
        try:
            self._subscription.close()
        finally:
            self.stopped.set()
        return clean and flushed

    def _on_finished(self) -> None:
        self._dispatcher.feed()

    def _take_back(self) -> None:
        """Give messages that no worker has started back to the queue."""
        while True:
            try:
                message = self._ready.pop()
            except IndexError:
                return
            message.settlement = Release()
            self.settler.settle(message)


def new_consumer_id() -> str:
    """Return a name that no other consumer has: host, process id, 64 random bits."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(8)}"
