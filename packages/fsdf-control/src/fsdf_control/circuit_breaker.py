"""Stop calling what fails; try again after a while."""

from __future__ import annotations

import inspect
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from fsdf_control.circuit_sharing import CircuitSharing
from fsdf_control.circuit_state import Circuit, State
from fsdf_control.failure_window import ConsecutiveFailures, FailureRate
from fsdf_core.batch import BatchMessage, members_of, result_alone
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import UNLIMITED, Control
from fsdf_core.errors import ConfigurationError, StateError, TaskKilled, TaskSignal
from fsdf_core.host import Abandoned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.clock import Clock
    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.state import StateStore

_Errors = tuple[type[BaseException], ...]


class CircuitBreaker(Control):
    """Takes no messages while the function keeps failing, then lets a few through as probes.

    Every call counts, retries among them; in micro-batches the call of a whole batch counts once. Open, nothing
    is taken from the queue, unless there is a fallback: then each task runs the fallback instead. After the
    recovery timeout the circuit is half-open: `half_open_max_calls` probes run; if all succeed it closes, if one
    fails it opens again.

    Args:
        strategy: "consecutive" (default): opens after `failure_threshold` failures in a row; "rate": opens when
            of at least `min_calls` calls within `period` seconds the share `errors_rate` has failed.
        failure_threshold: default 5.
        errors_rate: above 0, at most 1; default 0.5.
        period: seconds; default 60.
        min_calls: default 5.
        recovery_timeout: seconds from open to half-open; default 60.
        half_open_max_calls: default 3.
        exceptions: what counts as a failure; default every `Exception`.
        ignore: what does not, though it is among them; default the signals
            (`ExceptionForRetry`, …) and `TaskKilled`.
        fallback: called as the function is, while the circuit is open; its result is the task's.
        on_open: called with the queue's name when the circuit opens; one that raises is logged.
        on_close: likewise when it closes.
        store: consumers of the queue that share a store open their circuits together, within a second.
        clock: default the system's.

    Raises:
        ConfigurationError: an argument is out of range.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.testing.clock import ManualClock
        >>> clock = ManualClock()
        >>> breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=60, half_open_max_calls=1, clock=clock)
        >>> call = breaker.around(lambda message: 1 / message.arguments["x"])
        >>> try:
        ...     call(Message({"x": 0}, {}))
        ... except ZeroDivisionError:
        ...     breaker.credit(clock.monotonic()), breaker.next_credit(clock.monotonic())
        (0, 60.0)
        >>> clock.advance(60)
        >>> breaker.credit(clock.monotonic())
        1
    """

    def __init__(
        self,
        strategy: Literal["consecutive", "rate"] = "consecutive",
        *,
        failure_threshold: int = 5,
        errors_rate: float = 0.5,
        period: float = 60.0,
        min_calls: int = 5,
        recovery_timeout: float = 60.0,
        half_open_max_calls: int = 3,
        exceptions: _Errors = (Exception,),
        ignore: _Errors = (TaskSignal, TaskKilled),
        fallback: Callable[..., Any] | None = None,
        on_open: Callable[[str], object] | None = None,
        on_close: Callable[[str], object] | None = None,
        store: StateStore | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if strategy not in {"consecutive", "rate"}:
            raise ConfigurationError(f'strategy must be "consecutive" or "rate", not {strategy!r}')
        if min(failure_threshold, min_calls, half_open_max_calls) < 1:
            raise ConfigurationError("failure_threshold, min_calls and half_open_max_calls must be at least 1")
        if not (0 < errors_rate <= 1 and 0 < period < UNLIMITED and 0 < recovery_timeout < UNLIMITED):
            raise ConfigurationError("errors_rate must be in (0, 1], period and recovery_timeout above 0 seconds")
        window = (
            ConsecutiveFailures(failure_threshold)
            if strategy == "consecutive"
            else FailureRate(errors_rate, period, min_calls)
        )
        self._circuit = Circuit(window, recovery_timeout, half_open_max_calls)
        self._recovery_timeout = recovery_timeout
        self._exceptions, self._ignored = exceptions, ignore
        self._fallback = fallback
        self._on_open, self._on_close = on_open, on_close
        self._store, self._clock = store, clock
        if store is not None:
            self.retryable_errors = (*store.retryable_errors, StateError)
        self._lock = threading.Lock()
        self._changes: deque[tuple[State, str]] = deque()
        self._host: Host | None = None
        self._logger = logging.getLogger("fsdf.control")
        self._queue_name = ""
        self._sharing: CircuitSharing | None = None

    @property
    def state(self) -> State:
        """Closed, open or half-open."""
        return self._circuit.state

    def start(self, host: Host) -> None:
        """Learn the queue's name, and whether others have opened the circuit.

        Raises:
            StateError: the store cannot be reached.
        """
        self._host, self._logger, self._queue_name = host, host.logger, host.queue.name
        if self._store is not None:
            self._sharing = CircuitSharing(self._store, host.queue.name, host.consumer_id)
        self.tick(self._clock.monotonic())

    def stop(self) -> None:
        """Forget the probes: they do not report any more."""
        with self._lock:
            if self._circuit.is_in(State.HALF_OPEN):
                self._circuit.half_open()
        self._host = None

    def tick(self, now: float) -> None:
        """Share an opening that could not be shared at once; follow those of other consumers."""
        if self._sharing is not None and self._sharing.follow(now):
            with self._lock:
                if not self._circuit.is_in(State.OPEN):
                    self._circuit.open(now)
                    self._changes.append((State.OPEN, ""))
            self._announce()

    def credit(self, now: float) -> float:
        """Return 0 while open, the free probes while half-open; UNLIMITED while closed or with a fallback."""
        if self._circuit.is_in(State.CLOSED) or self._fallback is not None:
            return UNLIMITED
        with self._lock:
            self._recover(now)
            free = self._circuit.free_starts()
        self._announce()
        return free

    def next_credit(self, now: float) -> float:
        """Seconds until the circuit is half-open; 1 while probes are out, whose end wakes the consumer."""
        if self.credit(now):
            return 0.0
        return max(0.0, self._circuit.recovers_at - now) if self._circuit.is_in(State.OPEN) else 1.0

    def admit_many(self, messages: Sequence[Message]) -> list[None]:
        """Make messages probes as they are taken, so that no more are taken than are free."""
        if self._circuit.is_in(State.HALF_OPEN) and self._fallback is None:
            with self._lock:
                for message in messages:
                    self._circuit.take_probe(message)
        return [None] * len(messages)

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Judge probes that were settled without a report, and take back those that did not run."""
        if not self._circuit.is_in(State.HALF_OPEN):
            with self._lock:
                self._circuit.window.collect()
            return
        for message in messages:
            if self._circuit.is_probe(message):
                error = message.outcome.error if message.outcome is not None else None
                self._report(message, error or _NotRun())

    def around(self, call: Call) -> Call:
        """Count what the call does, or run the fallback."""
        fallback = self._fallback

        def guarded(message: Message) -> Any:
            if fallback is not None and not self._may_run(message):
                return _instead(fallback, message, self._host)
            try:
                result = call(message)
            except BaseException as error:
                self._report(message, error)
                raise
            self._returned(message)
            return result

        return guarded

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """`around` for `async def` functions; the fallback may be one too."""
        fallback = self._fallback

        async def guarded(message: Message) -> Any:
            if fallback is not None and not self._may_run(message):
                result = _instead(fallback, message, self._host)
                return await result if inspect.isawaitable(result) else result
            try:
                result = await call(message)
            except BaseException as error:
                self._report(message, error)
                raise
            self._returned(message)
            return result

        return guarded

    def _may_run(self, message: Message) -> bool:
        if self._circuit.is_in(State.CLOSED):
            return True
        with self._lock:
            self._recover(self._clock.monotonic())
            may = self._circuit.is_in(State.CLOSED) or self._circuit.take_probe(members_of(message)[0])
        self._announce()
        return may

    def _returned(self, message: Message) -> None:
        if self._circuit.state is State.CLOSED:
            self._circuit.window.success(self._clock.monotonic())
        else:
            self._report(message, None)

    def _report(self, message: Message, error: BaseException | None) -> None:
        now = self._clock.monotonic()
        with self._lock:
            calls = members_of(message)
            for call in calls[:1] if self._circuit.is_in(State.CLOSED) else calls:
                if error is None:
                    if self._circuit.success(call, now):
                        self._changes.append((State.CLOSED, ""))
                elif self._counts(error):
                    if self._circuit.failure(call, now):
                        self._changes.append((State.OPEN, f"{type(error).__name__}: {error}"))
                elif self._circuit.give_back(call) and self._host is not None:
                    self._host.wake()
        if self._changes:
            self._announce()

    def _counts(self, error: BaseException) -> bool:
        return isinstance(error, (*self._exceptions, Abandoned)) and not isinstance(error, (*self._ignored, _NotRun))

    def _recover(self, now: float) -> None:
        if self._circuit.is_in(State.OPEN) and now >= self._circuit.recovers_at:
            self._circuit.half_open()
            self._changes.append((State.HALF_OPEN, ""))

    def _announce(self) -> None:
        """Tell the log, the callbacks and the store; not under the lock."""
        while self._changes:
            try:
                state, reason = self._changes.popleft()
            except IndexError:
                return
            if state is State.OPEN:
                why = reason or "another consumer has opened it"
                self._logger.error("circuit of %s open for %g s: %s", self._queue_name, self._recovery_timeout, why)
                if self._sharing is not None and reason:
                    self._sharing.opened(self._clock.monotonic(), self._circuit.recovers_at, self._logger)
                self._tell(self._on_open)
            elif state is State.HALF_OPEN:
                self._logger.warning("circuit of %s half-open: trying again", self._queue_name)
            else:
                self._logger.warning("circuit of %s closed: the probes have succeeded", self._queue_name)
                self._tell(self._on_close)
            if state is not State.HALF_OPEN and self._host is not None:
                self._host.wake()

    def _tell(self, callback: Callable[[str], object] | None) -> None:
        if callback is not None:
            try:
                callback(self._queue_name)
            except Exception:
                self._logger.exception("a callback of the circuit breaker of %s failed", self._queue_name)


class _NotRun(Exception):
    """A probe went back to the queue."""


def _instead(fallback: Callable[..., Any], message: Message, host: Host | None) -> Any:
    if isinstance(message, BatchMessage):
        return fallback([member.arguments for member in message.members])
    if host is not None and host.batched:
        return result_alone(fallback([message.arguments]))
    return fallback(**message.arguments)
