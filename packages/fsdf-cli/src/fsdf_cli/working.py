"""Consumes tasks until told to end: in this process, or in worker processes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsdf_cli.file_watch import FileWatch
from fsdf_cli.output import note
from fsdf_core import lifecycle
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf.booster import Booster
    from fsdf.supervision import Supervisor

_LOOK = 0.5
_WATCH = 1.0


def chosen(
    boosters: Sequence[Booster[Any, Any]], queues: Sequence[str], groups: Sequence[str]
) -> list[Booster[Any, Any]]:
    """Return the boosters of these queues and groups; all if neither is named.

    Raises:
        ConfigurationError: there are no boosters at all.
        UnknownName: a queue or group is none; suggests the nearest.
    """
    if not boosters:
        raise ConfigurationError("no function is decorated there: decorate one with @boost, or name another module")
    by_queue = {booster.queue_name: booster for booster in boosters}
    by_group: dict[str, list[Booster[Any, Any]]] = {}
    for booster in boosters:
        by_group.setdefault(booster.boost_params.booster_group or "", []).append(booster)
    if not queues and not groups:
        return list(boosters)
    found: dict[str, Booster[Any, Any]] = {}
    for name in queues:
        if name not in by_queue:
            raise UnknownName(f"no imported function has the queue {name!r}.{did_you_mean(name, by_queue)}")
        found[name] = by_queue[name]
    for group in groups:
        if group not in by_group:
            raise UnknownName(f"no imported function has the booster_group {group!r}.{did_you_mean(group, by_group)}")
        found.update({booster.queue_name: booster for booster in by_group[group]})
    return list(found.values())


def processes_of(text: str) -> tuple[int, int | None]:
    """Return the numbers in "3" or "2:8".

    Raises:
        ConfigurationError: there are none.
    """
    least, colon, most = text.partition(":")
    try:
        numbers = int(least), int(most) if colon else None
    except ValueError:
        raise ConfigurationError(f"--processes takes a number or two (2:8), not {text!r}") from None
    return numbers


def work_here(boosters: Sequence[Booster[Any, Any]]) -> None:
    """Consume in this process until a signal comes, or until all consumers were told to end."""
    for booster in boosters:
        booster.consume()
    _wait(lambda: any(booster.consumer.running for booster in boosters))


def work_in_processes(groups: Sequence[tuple[list[Booster[Any, Any]], str, str]], *, reload: bool) -> None:
    """Consume in worker processes until a signal comes.

    Args:
        groups: tasks, the processes' name, and how many: "3" or "2:8".
        reload: replace the processes when a Python file below the working directory changes.
    """
    from fsdf.supervision import supervise  # noqa: PLC0415 - multiprocessing takes its time

    supervisors: list[Supervisor] = []
    for boosters, name, processes in groups:
        least, most = processes_of(processes)
        supervisor = supervise(boosters, least, most, name=name)
        if supervisor is not None:
            supervisors.append(supervisor)
    watch = FileWatch([Path.cwd()]) if reload else None
    ticks = 0

    def running() -> bool:
        nonlocal ticks
        ticks += 1
        if watch is not None and ticks % round(_WATCH / _LOOK) == 0 and (changed := watch.changed()):
            note(f"{changed[0]}{' and others' * (len(changed) > 1)} changed: the worker processes are replaced")
            for supervisor in supervisors:
                supervisor.reload()
        return any(supervisor.running for supervisor in supervisors)

    _wait(running)


def _wait(running: Callable[[], bool]) -> None:
    pause = threading.Event()
    while running():
        pause.wait(_LOOK)
    lifecycle.await_drain()
