"""The consumer's side of a decorated function."""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from fsdf.owned import Owned
from fsdf.supervision.role import role
from fsdf_core import lifecycle
from fsdf_core.errors import ConsumerError, UnsupportedFeature
from fsdf_core.loaded_heap import spare_loaded_heap
from fsdf_core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.params import BoosterParams
    from fsdf.publisher import BoosterPublisher
    from fsdf_control import Statistics, StatisticsSnapshot
    from fsdf_core.consumer import Consumer
    from fsdf_core.pulse import Pulse

P = ParamSpec("P")
R = TypeVar("R")

_LOOK = 1.0
"""Seconds between two looks at a queue that should stay empty."""


class BoosterConsumer(Generic[P, R]):
    """Consumes one function's queue in this process. Builds pool and consumer anew at each start.

    Args:
        params: the task's parameters.
        publisher: what publishes to the same queue.
        function: the function as the user wrote it.
        build_callee: returns what is called with a message's arguments.
    """

    def __init__(
        self,
        params: BoosterParams,
        publisher: BoosterPublisher[P, R],
        function: Callable[P, R],
        build_callee: Callable[[], Callable[..., Any]],
    ) -> None:
        self.queue_name = params.queue_name
        self.publisher_of_same_queue = publisher
        self.consuming_function = function
        self._params = params
        self._build_callee = build_callee
        self._statistics: Statistics | None = None
        self._consumer: Consumer | None = None
        self._renew()
        _consumers.add(self)

    @property
    def running(self) -> bool:
        """Whether it was started and not yet stopped."""
        consumer = self._consumer
        return consumer is not None and consumer.running

    def start_consuming_message(self) -> None:
        """Begin to consume, in threads of its own; return at once. A second call warns and does nothing.

        The process lives on, even if its main function ends. Called in the main thread, it also takes SIGTERM
        and SIGINT as `fsdf_core.lifecycle.install_signal_handlers` says, unless the setting `handle_signals`
        is off. What the process has loaded is then frozen for the garbage collector, unless `gc_freeze` is off.
        With `schedule_tasks_on_main_thread` it returns when the consumer has stopped.

        Raises:
            ConfigurationError: the broker or pool cannot be had.
            BrokerError: the queue cannot be reached.
            ConsumerError: called by a thread after the main thread has ended.
        """
        from fsdf import assembly  # noqa: PLC0415 - reading settings takes long
        from fsdf_core.settings import get_settings  # noqa: PLC0415 - as above

        if role.importing():
            return  # a worker process consumes only what it was started for
        with lifecycle.signals_deferred(), self._lock:
            if self.running:
                assembly.task_logger(self._params).warning(
                    "%s is being consumed already: this call does nothing", self.queue_name
                )
                return
            if get_settings().handle_signals:
                # Before the start: a signal that comes with the first task must find them.
                lifecycle.install_signal_handlers()
            queue = self.publisher_of_same_queue.queue()
            function = self._build_callee()
            owned = Owned()
            try:
                pool = self._params.specify_concurrent_pool
                if pool is None:
                    pool = owned.pool = assembly.open_pool(self._params, function)
                if getattr(pool, "runs_elsewhere", False):
                    from fsdf.remote_task import RemoteTask  # noqa: PLC0415 - it is seldom needed

                    function = RemoteTask(self._params)
                owned.loop_thread = assembly.run_loop(self._params, function, pool)
                consumer = assembly.open_consumer(self._params, function, queue, pool, self._counts(), owned.close)
                if get_settings().gc_freeze:
                    spare_loaded_heap()
                consumer.start()
            except BaseException as error:
                owned.close(clean=False)
                if isinstance(error, RuntimeError) and not threading.main_thread().is_alive():
                    raise ConsumerError(
                        f"{self.queue_name}: the main thread has ended, and no threads may start any more: call "
                        "consume() in it, or keep it with ctrl_c_recv()"
                    ) from error
                raise
            self._consumer = consumer
        if self._params.schedule_tasks_on_main_thread and not role.working:
            wait_until(lambda: not consumer.running, timeout=float("inf"), interval=0.2)
            lifecycle.await_drain()

    def stop(self, timeout: float | None = None) -> bool:
        """Take no more messages, let running tasks end, give back the rest; then it can be started again.

        Args:
            timeout: seconds that running tasks have; default: the setting `grace` (30). Longer ones are left
                alone and will run again.

        Returns:
            True if every task that ran has ended and is acknowledged.
        """
        with lifecycle.signals_deferred(), self._lock:
            consumer = self._consumer
            if consumer is None:
                return True
            clean = consumer.stop(timeout)
            self._consumer = None
            return clean

    def wait_for_possible_has_finish_all_tasks(self, minutes: float = 3, timeout: float | None = None) -> bool:
        """Wait until the queue has been empty and nothing has run for some minutes.

        Messages that are ready, delayed or running anywhere count, so a task that pushes others is waited
        for. Tasks that arrive later than `minutes` after the last one are not: hence "possible".

        Args:
            minutes: how long it must stay quiet; fractions are fine. Default 3.
            timeout: seconds to wait at most; default: no limit.

        Returns:
            False if `timeout` ended the wait.

        Raises:
            UnsupportedFeature: the broker cannot tell how many messages it holds.
        """
        queue = self.publisher_of_same_queue.queue()
        if not queue.broker.capabilities.size:
            raise UnsupportedFeature(f"{type(queue.broker).__name__} cannot tell how many messages it holds")
        quiet = minutes * 60
        progress = self._progress()
        since = time.monotonic()

        def finished() -> bool:
            nonlocal progress, since
            now, current = time.monotonic(), self._progress()
            if queue.size().total or current != progress or self._in_flight():
                progress, since = current, now
                return False
            return now - since >= quiet

        limit = float("inf") if timeout is None else timeout
        return wait_until(finished, limit, interval=min(_LOOK, max(0.02, quiet / 10)))

    def callee(self) -> Callable[..., Any]:
        """Return what is called with a message's arguments."""
        return self._build_callee()

    def statistics(self) -> StatisticsSnapshot:
        """Return what this process's consumer has done since its last start: counts, rates, mean run time."""
        return self._counts().snapshot()

    def pulse(self) -> Pulse | None:
        """Return what tells whether the consumer moves on; None if it does not run."""
        consumer = self._consumer
        return consumer.pulse() if consumer else None

    def _counts(self) -> Statistics:
        from fsdf_control import Statistics  # noqa: PLC0415 - as the assembly

        statistics = self._statistics
        if statistics is None:
            statistics = self._statistics = Statistics()
        return statistics

    def _progress(self) -> int:
        consumer = self._consumer
        return consumer.finished if consumer else 0

    def _in_flight(self) -> int:
        consumer = self._consumer
        return consumer.in_flight if consumer else 0

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._consumer = None


_consumers: weakref.WeakSet[BoosterConsumer[Any, Any]] = weakref.WeakSet()


def _renew_after_fork() -> None:
    """A forked child consumes nothing until told to."""
    for consumer in list(_consumers):
        consumer._renew()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)
