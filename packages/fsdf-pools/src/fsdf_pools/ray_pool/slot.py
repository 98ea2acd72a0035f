"""One place of the pool: a thread here, and the actor on the cluster that runs its calls."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from fsdf_pools.log import LOGGER
from fsdf_pools.process_pool.answer import decode_result, encode_call
from fsdf_pools.process_pool.errors import GivenUpError, WorkerDiedError
from fsdf_pools.ray_pool.remote_worker import RemoteWorker, main_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LOOK_EVERY = 1.0
"""Seconds between two looks of a waiting thread; it is woken by what it waits for."""

_LONG = 30
"""Looks until a thread says that its worker still waits for a place on the cluster."""


class Slot:
    """Belongs to one thread, whose methods these are but for `interrupt` and `give_up`.

    The actor ends with the slot: Ray ends actors that nobody can call any more.

    Args:
        options: of the actor: `num_cpus`, `num_gpus`, `resources`, `runtime_env`, ….
        warm_ups: calls, encoded, that each actor makes before its first one; may grow.
    """

    def __init__(self, options: Mapping[str, Any], warm_ups: Sequence[bytes]) -> None:
        self._options = dict(options)
        self._warm_ups = warm_ups
        self._warmed = 0
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._actor: Any = None
        self._where = ""
        self._running = False
        self._interrupt: type[BaseException] | None = None

    def run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run a call on the cluster; return its result or raise its error.

        Raises:
            UnpicklableError: the call, or its result, cannot travel.
            WorkerDiedError: its worker has died, or cannot be reached any more.
            GivenUpError: the pool was closed, and the call had not ended in time.
            BaseException: what the call raised, or what `interrupt` was given.
        """
        request = encode_call(fn, args, kwargs)
        self.prepare()
        with self._lock:
            self._heed_interrupt()
            self._running = True
        try:
            frame = self._result_of(self._actor.answer.remote(request))
        except BaseException:
            # The call may go on there, so its worker cannot take another one.
            self._kill()
            with self._lock:
                self._running = False
                self._heed_interrupt()
            raise
        with self._lock:
            self._running = False
            spent = self._interrupt is not None
        if spent:
            self._kill()
        return decode_result(frame)

    def prepare(self) -> None:
        """See to it that there is a worker which can take a call, and has made those that warm it up.

        It may take long until the cluster has a place for it.

        Raises:
            WorkerDiedError: none can be had.
            GivenUpError: the pool was closed meanwhile.
            BaseException: what `interrupt` was given.
        """
        try:
            if self._actor is None:
                self._actor = _actor_class().options(**self._options).remote(main_address())
                machine, process = self._result_of(self._actor.where.remote(), patient=True)
                self._where = f"process {process} on {machine}"
            while self._warmed < len(self._warm_ups):
                self._result_of(self._actor.answer.remote(self._warm_ups[self._warmed]))
                self._warmed += 1
        except BaseException:
            self._kill()
            raise

    def interrupt(self, kind: type[BaseException] | None) -> None:
        """End the call that runs by killing its worker: it raises `kind`. None takes back what was not yet raised."""
        with self._lock:
            self._interrupt = kind
            if kind is not None and self._running:
                _end(self._actor)
            self._woken.set()

    def give_up(self) -> None:
        """End the call that runs, because the pool closes."""
        self.interrupt(GivenUpError)

    def _result_of(self, reference: Any, *, patient: bool = False) -> Any:
        future = reference.future()
        self._woken.clear()
        future.add_done_callback(lambda _: self._woken.set())
        looks = 0
        while not future.done():
            with self._lock:
                self._heed_interrupt()
            self._woken.wait(_LOOK_EVERY)
            self._woken.clear()
            looks += 1
            if patient and looks == _LONG:
                LOGGER.warning(
                    "a worker has waited for a place on the Ray cluster for %g s: the pool has more workers than the "
                    "cluster has CPUs to spare", looks * _LOOK_EVERY,
                )  # fmt: skip
        try:
            return future.result()
        except RayError as error:
            where = self._where or "a worker that was not ready"
            raise WorkerDiedError(f"the Ray worker of the call has ended ({where}): {_brief(error)}") from None

    def _heed_interrupt(self) -> None:
        kind, self._interrupt = self._interrupt, None
        if kind is not None:
            raise kind

    def _kill(self) -> None:
        with self._lock:
            actor, self._actor, self._where, self._warmed = self._actor, None, "", 0
        _end(actor)


def _end(actor: Any) -> None:
    if actor is not None:
        with contextlib.suppress(Exception):  # it has ended, or the cluster has
            ray.kill(actor)


def _actor_class() -> Any:
    return ray.remote(max_restarts=0, max_task_retries=0)(RemoteWorker)


def _brief(error: Exception) -> str:
    """Return what Ray says first; what follows is advice over many lines."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])}" if lines else type(error).__name__
