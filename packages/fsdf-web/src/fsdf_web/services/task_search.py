"""What people look for among tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.records import RecordQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsdf_core.records import TaskRecord
    from fsdf_web.hub import Hub

MOST = 10_000
"""Tasks that one action is about, at most."""

_PAGE = 500


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks; the fields are those of `RecordQuery`.

    Attributes:
        queue: of this queue.
        status: with this status.
        error_type: failed with this type.
        since: seconds since the epoch.
        until: seconds since the epoch.
        text: in the arguments or the error.
        argument: values in the arguments by path, each `path=value`.
        min_seconds: whose run took at least so long.
        max_seconds: at most so long.
    """

    queue: str | None = None
    status: str | None = None
    error_type: str | None = None
    since: float | None = None
    until: float | None = None
    text: str | None = None
    argument: list[str] = field(default_factory=list)
    min_seconds: float | None = None
    max_seconds: float | None = None

    def query(self, limit: int = 100, cursor: str | None = None) -> RecordQuery:
        """Return what a record store understands.

        Raises:
            ConfigurationError: an argument has no "=".
        """
        arguments: dict[str, str] = {}
        for each in self.argument:
            path, mark, value = each.partition("=")
            if not mark or not path.strip():
                raise ConfigurationError(f"write an argument as path=value, such as user.id=5, not {each!r}")
            arguments[path.strip()] = value.strip()
        return RecordQuery(
            queue=self.queue or None,
            status=self.status or None,
            error_type=self.error_type or None,
            since=self.since,
            until=self.until,
            text=self.text or None,
            arguments=arguments,
            min_seconds=self.min_seconds,
            max_seconds=self.max_seconds,
            limit=limit,
            cursor=cursor,
        )


def found_task(hub: Hub, task_id: str) -> TaskRecord:
    """Return a task's record.

    Raises:
        UnknownName: there is none.
        StateError: the record store cannot be reached.
    """
    record = hub.records().get(task_id)
    if record is None:
        raise UnknownName(f"there is no record of a task {task_id!r}")
    return record


def matching(hub: Hub, wanted: TaskFilter) -> Iterator[TaskRecord]:
    """Yield matching records, the newest first, 10 000 at most.

    Raises:
        StateError: the record store cannot be reached.
    """
    cursor: str | None = None
    left = MOST
    while left > 0:
        page = hub.records().find(wanted.query(min(_PAGE, left), cursor))
        yield from page.records
        left -= len(page.records)
        cursor = page.next
        if cursor is None:
            return
