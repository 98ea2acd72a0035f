"""The id of the running task in each log line."""

from __future__ import annotations

import logging

from fsdf_core.context import current_message

NO_TASK = "-"


class TaskIdFilter(logging.Filter):
    """Gives records the attribute `task_id`, for the format: that of the task whose thread or coroutine logs.

    Lines outside of tasks have "-". What a record brings itself (`extra={"task_id": …}`) is left as it is.

    Example:
        >>> handler = logging.StreamHandler()
        >>> handler.addFilter(TaskIdFilter())
        >>> handler.setFormatter(logging.Formatter("%(task_id)s %(message)s"))
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if not hasattr(record, "task_id"):
            message = current_message.get()
            record.task_id = NO_TASK if message is None else message.task_id
        return True
