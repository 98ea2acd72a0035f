"""A task's status and result, read from its record."""

from __future__ import annotations

from typing import Any

from fsdf_core import registry
from fsdf_core.record_status import status_of
from fsdf_core.settings import get_settings


class ResultFromMongo:
    """What the record store, whichever it is, knows of a task. Its name is that of old: records were in MongoDB only.

    The task needs `function_result_status_persistance_conf` with `is_save_result`. A record is there within a second
    after the task has ended.

    Args:
        task_id: the task's.
        col: accepted: the records of all queues share one table.

    Example:
        >>> ResultFromMongo("no such task").get_status_and_result() is None
        True
    """

    def __init__(self, task_id: str, col: str | None = None) -> None:  # noqa: ARG002 - the known signature
        self.task_id = str(task_id)

    def get_status_and_result(self) -> dict[str, Any] | None:
        """Return the task's status as a dict of known names, or None if there is no record (yet).

        Raises:
            StateError: the record store cannot be read.
        """
        settings = get_settings()
        record = registry.open_records(settings).get(self.task_id)
        return None if record is None else status_of(record, settings.timezone)

    def get_result(self) -> Any:
        """Return what the function returned; None if it failed, has not ended, or results are not saved.

        Raises:
            StateError: the record store cannot be read.
        """
        status = self.get_status_and_result()
        return None if status is None else status["result"]
