"""Starts worker processes."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from fsdf.supervision.autoscaler import Autoscaler, ScalePolicy
from fsdf.supervision.options import SupervisorOptions
from fsdf.supervision.origin import origin_of
from fsdf.supervision.role import role
from fsdf.supervision.supervisor import Supervisor
from fsdf_core import lifecycle
from fsdf_core.errors import ConfigurationError, UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf.booster import Booster
    from fsdf_core.broker import Queue

_running: list[Supervisor] = []
_lock = threading.Lock()


def supervise(
    boosters: Sequence[Booster[Any, Any]],
    processes: int = 1,
    max_processes: int | None = None,
    *,
    name: str | None = None,
    **options: Any,
) -> Supervisor | None:
    """Consume these tasks in worker processes; return at once. The process lives on.

    Called in the main thread, it also takes SIGTERM, SIGINT and SIGHUP, unless the setting `handle_signals` is off.
    In a worker process that is importing its modules it does nothing, so that no process starts others by accident.

    Args:
        boosters: the tasks; every process consumes all of them.
        processes: how many processes; the fewest, if `max_processes` is given.
        max_processes: scale between the two by the queues' lengths.
        name: part of the processes' names; default: the first queue's name.
        **options: fields of `SupervisorOptions`.

    Returns:
        What scales, reloads and stops the processes; None in a worker process that is importing.

    Raises:
        ConfigurationError: a number makes no sense, or other processes cannot import the function.
        UnsupportedFeature: other processes cannot reach the queue, or its length cannot be had.
    """
    from fsdf import assembly  # noqa: PLC0415 - reading settings takes long
    from fsdf_core.settings import get_settings, patched  # noqa: PLC0415 - as above

    if role.importing():
        logging.getLogger("fsdf").warning(
            "a worker process imports a module that starts worker processes, and ignores it: write the call under "
            '`if __name__ == "__main__":`, with everything else that only the first process shall do'
        )
        return None
    most = _checked(boosters, processes, max_processes)
    looked_after = SupervisorOptions.of(options)
    origins = [origin_of(booster) for booster in boosters]
    queues = [booster.publisher.queue() for booster in boosters]
    _check_queues(queues, sized=most > processes)
    logger = assembly.task_logger(boosters[0].boost_params)
    name = name or boosters[0].queue_name
    with lifecycle.signals_deferred(), _lock:
        for supervisor in _running:
            if supervisor.running and supervisor.name == name:
                logger.warning("worker processes of %s run already: this call does nothing, scale() changes them", name)
                return supervisor
        settings = get_settings()
        if settings.handle_signals:
            lifecycle.install_signal_handlers()
        supervisor = Supervisor(
            origins,
            processes,
            name=name,
            queue=queues[0],
            options=looked_after,
            settings=patched(),
            grace=settings.grace,
            logger=logger,
        )
        if most > processes:
            policy = ScalePolicy(
                processes, most, up_after=looked_after.scale_up_after, idle_time=looked_after.idle_time
            )
            supervisor.autoscaler = _autoscaler(supervisor, policy, queues, logger)
        supervisor.start(take_hang_up=settings.handle_signals)
        _running[:] = [*(each for each in _running if each.running), supervisor]
    return supervisor


def supervisors_of(queue_name: str) -> list[Supervisor]:
    """Return the running supervisors whose processes consume nothing but the queue."""
    return [
        each for each in list(_running) if each.running and {origin.queue for origin in each.origins} == {queue_name}
    ]


def run_consumer_with_multi_process(task_fun: Booster[Any, Any], process_num: int = 1, **options: Any) -> None:
    """Consume a task in `process_num` worker processes; return at once. See `supervise`."""
    supervise([task_fun], process_num, **options)


def run_many_consumer_with_multi_process(
    task_funs: Sequence[Booster[Any, Any]], process_num: int = 1, **options: Any
) -> None:
    """Consume several tasks, all of them in each of `process_num` worker processes; return at once."""
    supervise(task_funs, process_num, **options)


def _autoscaler(
    supervisor: Supervisor, policy: ScalePolicy, queues: Sequence[Queue], logger: logging.Logger
) -> Autoscaler:
    return Autoscaler(
        policy,
        ready=lambda: sum(queue.size().ready for queue in queues),
        load=supervisor.load,
        scale=supervisor.scale,
        logger=logger,
        name=supervisor.name,
    )


def _check_queues(queues: Sequence[Queue], *, sized: bool) -> None:
    for queue in queues:
        if not queue.broker.capabilities.cross_process:
            raise UnsupportedFeature(
                f"{queue.name}: other processes cannot reach a queue of {type(queue.broker).__name__}"
            )
        if sized and not queue.broker.capabilities.size:
            raise UnsupportedFeature(f"{queue.name}: autoscaling needs a broker that can tell how many messages wait")


def _checked(boosters: Sequence[Booster[Any, Any]], processes: int, most: int | None) -> int:
    from fsdf.booster import Booster  # noqa: PLC0415 - it needs this module

    if not boosters or not all(isinstance(booster, Booster) for booster in boosters):
        raise ConfigurationError("worker processes consume decorated functions: give those that @boost has made")
    most = processes if most is None else most
    for number in (processes, most):
        if type(number) is not int or number < 1:
            raise ConfigurationError(f"the number of processes is 1 or more, not {number!r}")
    if most < processes:
        raise ConfigurationError(f"from {processes} to {most} processes: the first number is the smaller one")
    return most
