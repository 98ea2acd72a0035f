"""Which ticks have been published, as all processes see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_control.schedules.job import Job
    from fsdf_core.state import StateStore

_DONE = b"done"
_KEPT = 30 * 86400.0
"""Seconds that a mark outlives a crash of all processes before they had moved the job on."""
_SETTLED = 3600.0
"""Seconds that a mark is kept once the job's next moment is stored: for processes that add the job anew."""


class TickMarks:
    """A mark for each tick, `fsdf:tick:<job store>:<task id>`: pending with the holder's token, then done.

    Args:
        store: what the processes share.
        identity: the job store's.
    """

    def __init__(self, store: StateStore, identity: str) -> None:
        self._store = store
        self._prefix = f"fsdf:tick:{identity}:"

    def claim(self, job: Job, moment: float, token: int) -> bool:
        """Mark a tick as pending; True if it is to be published now.

        A tick that a process before left pending died with it between the mark and its completion: whether it was
        published is not known, so it is published again, with the same task id.
        """
        key, mine = self._key(job, moment), b"pending %d" % token
        if self._store.add({key: mine}, _KEPT):
            return True
        (found,) = self._store.get([key])
        if found in {None, _DONE}:
            return False
        return found == mine or self._store.replace(key, found or b"", mine, _KEPT)

    def done(self, job: Job, moment: float) -> None:
        """The broker has accepted the tick."""
        self._store.set({self._key(job, moment): _DONE}, _KEPT)

    def settled(self, job: Job, moments: list[float]) -> None:
        """The job's next moment is stored: nobody will ask for these again soon."""
        if moments:
            self._store.set({self._key(job, moment): _DONE for moment in moments}, _SETTLED)

    def _key(self, job: Job, moment: float) -> str:
        return self._prefix + job.task_id(moment)
