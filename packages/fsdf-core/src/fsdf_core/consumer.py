"""Consumer: runs a function for each message of a queue."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, cast

from fsdf_core import lifecycle
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import Control
from fsdf_core.coroutines import is_async
from fsdf_core.errors import ConfigurationError, ConsumerError, UnsupportedFeature
from fsdf_core.run import Run

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from fsdf_core.batch import Batch
    from fsdf_core.broker import Queue
    from fsdf_core.clock import Clock
    from fsdf_core.pool import Pool, RemotePool
    from fsdf_core.pulse import Pulse

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
        batch: call `function([arguments, …])` with many calls at once; None (default): one call each.
        loop: where an `async def` function runs if the pool has threads; default: each worker has a loop of its own.
        clock: the time, for controls and stamps.
        logger: default: the logger `fsdf.<queue>`.
        on_stopped: called at the end of each `stop`, whoever calls that, with its answer; must not raise.

    Raises:
        UnsupportedFeature: a control needs what the broker cannot do.
        ConfigurationError: the pool runs coroutines and the function is none, a control wraps plain calls only, or the
            pool runs functions in other processes, and they cannot find this one.
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
        batch: Batch | None = None,
        loop: AbstractEventLoop | None = None,
        clock: Clock = SYSTEM_CLOCK,
        logger: logging.Logger | None = None,
        on_stopped: Callable[[bool], None] | None = None,
    ) -> None:
        self.function = function
        self.queue = queue
        self.pool = pool
        self.controls = tuple(controls)
        self.grace = grace
        self.logger = logger or logging.getLogger(f"fsdf.{queue.name}")
        self.max_deliveries = max_deliveries
        self.batch = batch
        self.loop = loop
        self.clock = clock
        self._on_stopped = on_stopped
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._check_capabilities()
        self._check_function()
        if getattr(pool, "runs_elsewhere", False):
            # Only here, because pickle is slow to import.
            from fsdf_core.remote_function import RemoteFunction  # noqa: PLC0415

            self.function = RemoteFunction(function, cast("RemotePool", pool))

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.queue.name

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

    def pulse(self) -> Pulse | None:
        """Return what tells whether it moves on; None if it does not run."""
        run = self._run
        return run.pulse(self.pool.max_workers) if run else None

    def start(self) -> None:
        """Begin to consume, in threads of its own; return at once.

        The process lives on, even if its main function ends, until `stop()`.

        Raises:
            ConsumerError: it runs already.
            BrokerError: the queue cannot be reached.
        """
        with lifecycle.signals_deferred(), self._lock:
            if self._run is not None:
                raise ConsumerError(f"the consumer of {self.queue.name!r} runs already: stop() it first")
            run = Run(self)
            run.start()
            self._run = run
            lifecycle.track(self)
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
        with lifecycle.signals_deferred(), self._lock:
            run = self._run
            if run is None:
                return True
            clean = False
            try:
                clean = run.stop(self.grace if timeout is None else timeout)
            finally:
                self._run = None
                lifecycle.untrack(self)
                if self._on_stopped is not None:
                    self._on_stopped(clean)
        if clean:
            self.logger.info("stopped consuming %s", self.queue.name)
        else:
            self.logger.warning(
                "stopped consuming %s while tasks still run: what is not settled will run again", self.queue.name
            )
        return clean

    def run(self) -> None:
        """Consume until SIGINT, SIGTERM or another thread's `stop()`; then return.

        In the main thread the signals are taken as `install_signal_handlers` says.
        """
        from fsdf_core.settings import get_settings  # noqa: PLC0415 - reading settings takes long

        if get_settings().handle_signals:
            lifecycle.install_signal_handlers()
        if self._run is None:
            self.start()
        run = self._run
        while run is not None and not run.stopped.wait(1.0):
            pass
        lifecycle.await_drain()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _check_function(self) -> None:
        name = getattr(self.function, "__qualname__", repr(self.function))
        if library := getattr(self.pool, "green", None):
            from fsdf_core.green.check import check_green  # noqa: PLC0415 - only where it is used

            check_green(library, self.function)
        if is_async(self.function):
            for control in self.controls:
                kind = type(control)
                if kind.around is not Control.around and kind.around_async is Control.around_async:
                    raise ConfigurationError(
                        f"{kind.__name__} wraps plain calls only, and {name} is async def: "
                        f"give {kind.__name__} the method around_async"
                    )
        elif getattr(self.pool, "runs_coroutines", False):
            raise ConfigurationError(
                f"{type(self.pool).__name__} runs async def functions, and {name} is none: use a pool of threads"
            )

    def _check_capabilities(self) -> None:
        capabilities = self.queue.broker.capabilities
        for control in self.controls:
            lacking = [name for name in sorted(control.requires) if not getattr(capabilities, name)]
            if lacking:
                raise UnsupportedFeature(
                    f"{type(control).__name__} needs a broker with {', '.join(lacking)}, "
                    f"which {type(self.queue.broker).__name__} has not: choose another broker_kind"
                )
