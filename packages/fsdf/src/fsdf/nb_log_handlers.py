"""nb_log's handlers for a task's logger: its coloured console, and its rotating files for many processes."""

from __future__ import annotations

import logging
import os
import re
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from fsdf.nb_log_import import imported, nb_log_module
from fsdf.task_id_filter import TaskIdFilter
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMAT = '%(asctime)s - %(name)s - "%(pathname)s:%(lineno)d" - %(funcName)s - %(levelname)s - %(task_id)s - %(message)s'
"""nb_log's own default, and the task's id."""
_TIME = "%Y-%m-%d %H:%M:%S"
_NOT_IN_FILE_NAMES = re.compile(r"[^\w.\-]")
_lock = threading.Lock()


class LogFile(NamedTuple):
    """A rotating log file.

    Attributes:
        folder: where it is; made if it does not exist.
        name: the part of the files' names after `<date>.<number>.`.
        size: bytes from which a new file with the next number is begun.
        keep: how many files stay, those of other days included.
    """

    folder: Path
    name: str
    size: int
    keep: int


def file_name(queue_name: str) -> str:
    """Return the name of a queue's log file; what file names or patterns cannot have becomes "_"."""
    return f"fsdf.{_NOT_IN_FILE_NAMES.sub('_', queue_name)}.log"


def add_nb_log_handlers(logger: logging.Logger, file: LogFile | None, more: Callable[[], list[Any]]) -> None:
    """Give a logger the console handler and, unless `file` is None, the file handler, once; a file may change.

    Args:
        logger: the task's.
        file: where lines are kept.
        more: makes further handlers.

    The logger then passes nothing on to its parents, so that no line is written twice.

    Raises:
        MissingDependency: nb_log is not installed.
        ConfigurationError: the folder cannot be made.
    """
    with _lock:
        ours = [handler for handler in logger.handlers if hasattr(handler, "fsdf_file")]
        if any(handler.fsdf_file == file for handler in ours):
            return
        made = [_console(), *([] if file is None else [_rotating(file)]), *more()]
        for handler in ours:
            logger.removeHandler(handler)
            handler.close()
        for handler in made:
            handler.setFormatter(logging.Formatter(FORMAT, _TIME))
            handler.addFilter(TaskIdFilter())
            handler.fsdf_file = file
            logger.addHandler(handler)
        logger.propagate = False


def _console() -> Any:
    if os.environ.get("NO_COLOR"):
        return logging.StreamHandler()
    handlers = nb_log_module("handlers")
    # Standard error, as for all log lines: what programs print stays by itself.
    return handlers.ColorHandler(logging.StreamHandler().stream)


def _rotating(file: LogFile) -> Any:
    base: Any = nb_log_module("handlers").BothDayAndSizeRotatingFileHandler

    class RotatingFile(base):  # type: ignore[misc]
        def emit(self, record: logging.LogRecord) -> None:
            # nb_log's lets a full disk reach the task that logs.
            try:
                super().emit(record)
            except Exception:  # noqa: BLE001 - as the handlers of the standard library do
                self.handleError(record)

    try:
        file.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"log files cannot be in {file.folder}: {error.strerror}. Set FSDF_LOG_DIR, or create_logger_file=False"
        ) from None
    return RotatingFile(file.name, log_path=str(file.folder), max_bytes=file.size, back_count=file.keep)


def _new_locks() -> None:
    global _lock  # noqa: PLW0603 - the parent's may be held
    _lock = threading.Lock()
    files = imported("rotate_file_writter")
    if files is not None:
        files.FileWritter._lock = threading.RLock()  # noqa: SLF001 - all files share it, nb_log does not renew it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_locks)
