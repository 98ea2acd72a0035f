"""The schedules of all processes, in a state store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fsdf_control.scheduling.schedule import Schedule
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_core.state import StateStore

_logger = logging.getLogger("fsdf.schedules")


class ScheduleBook:
    """What is scheduled, written by anybody; and how far each schedule is, written by the scheduler that runs.

    Kept apart, so that neither undoes what the other writes at the same moment.

    Args:
        store: shared by all processes that schedule; a process's memory for schedules of its own.
        namespace: books in one store are told apart by it; default "default".
    """

    def __init__(self, store: StateStore, namespace: str = "default") -> None:
        self.store = store
        self.namespace = namespace
        self._schedules = f"fsdf:schedules:{namespace}"
        self._progress = f"fsdf:schedules:{namespace}:next"
        self.changed = f"fsdf:schedules:{namespace}:version"
        """Counter that grows with each change; also the channel that announces it."""

    def add(self, schedule: Schedule, now: float, *, replace: bool = False) -> bool:
        """Write a schedule. One that is there already, unchanged, goes on where it was.

        Args:
            schedule: the schedule.
            now: seconds since the epoch.
            replace: whether one of the same id may be replaced.

        Returns:
            False, and nothing is written, if it would never fire: its time is more than a second ago.

        Raises:
            ConfigurationError: there is one of that id.
            StateError: the store cannot be reached.
        """
        there = self.store.hash_get(self._schedules).get(schedule.id)
        if there is not None and not replace:
            raise ConfigurationError(
                f"there is a schedule {schedule.id!r} already: choose another id, or give replace_existing=True"
            )
        if there is not None and _same(there, schedule):
            return True
        first = schedule.trigger.timing.first(now)
        if first is None or first < now - 1.0:
            return False
        # The time first: without it, a schedule does not fire.
        self.store.hash_set(self._progress, {schedule.id: repr(first).encode()})
        self.store.hash_set(self._schedules, {schedule.id: schedule.to_json()})
        self._announce()
        return True

    def all(self) -> dict[str, Schedule]:
        """Return all schedules by id; what cannot be read is logged and left out."""
        found = {}
        for name, text in self.store.hash_get(self._schedules).items():
            try:
                found[name] = Schedule.from_json(text)
            except ConfigurationError as error:
                _logger.error("schedule %s cannot be read: %s", name, error)  # noqa: TRY400 - it says all
        return found

    def get(self, schedule_id: str) -> Schedule:
        """Return a schedule.

        Raises:
            UnknownName: there is none of that id; suggests the nearest.
        """
        found = self.all()
        if schedule_id not in found:
            raise UnknownName(f"there is no schedule {schedule_id!r}.{did_you_mean(schedule_id, found)}")
        return found[schedule_id]

    def remove(self, schedule_id: str) -> bool:
        """Delete a schedule; False if there was none."""
        removed = self.store.hash_delete(self._schedules, [schedule_id])
        self.store.hash_delete(self._progress, [schedule_id])
        self._announce()
        return bool(removed)

    def rewrite(self, schedule: Schedule) -> None:
        """Write a schedule that is there, with another name, other arguments or policy; its time stays."""
        self.store.hash_set(self._schedules, {schedule.id: schedule.to_json()})
        self._announce()

    def pause(self, schedule_id: str) -> None:
        """Let a schedule fire no more. Raises as `get`."""
        self.store.hash_set(self._schedules, {schedule_id: self.get(schedule_id).with_pause(paused=True).to_json()})
        self._announce()

    def resume(self, schedule_id: str, now: float) -> None:
        """Let it fire again; what it missed meanwhile is not made up for. Raises as `get`."""
        schedule = self.get(schedule_id)
        following = schedule.trigger.timing.first(now)
        if following is not None:
            self.store.hash_set(self._progress, {schedule_id: repr(following).encode()})
        self.store.hash_set(self._schedules, {schedule_id: schedule.with_pause(paused=False).to_json()})
        self._announce()

    def next_times(self) -> dict[str, float]:
        """Return when each schedule fires next, in seconds since the epoch."""
        times = {}
        for name, text in self.store.hash_get(self._progress).items():
            try:
                times[name] = float(text)
            except ValueError:
                _logger.error("schedule %s: its time %r cannot be read", name, text)  # noqa: TRY400
        return times

    def advance(self, times: Mapping[str, float | None]) -> None:
        """Write how far schedules are; None: it was the last time, the schedule is deleted."""
        ended = [name for name, following in times.items() if following is None]
        self.store.hash_set(
            self._progress, {name: repr(time).encode() for name, time in times.items() if time is not None}
        )
        if ended:
            self.store.hash_delete(self._schedules, ended)
            self.store.hash_delete(self._progress, ended)

    def version(self) -> bytes | None:
        """Return what differs after a change."""
        return self.store.get([self.changed])[0]

    def _announce(self) -> None:
        self.store.increment(self.changed)
        self.store.notify(self.changed)


def _same(there: bytes, schedule: Schedule) -> bool:
    try:
        old = Schedule.from_json(there)
    except ConfigurationError:
        return False
    # The start of an interval that nobody gave is the moment of adding.
    return _without_start(old) == _without_start(schedule)


def _without_start(schedule: Schedule) -> tuple[object, ...]:
    trigger = schedule.trigger
    arguments = {key: value for key, value in trigger.arguments.items() if key != "start_date"}
    rest = {
        **schedule.__dict__,
        "trigger": (trigger.kind, arguments if trigger.kind == "interval" else trigger.arguments),
    }
    return tuple(sorted(rest.items()))
