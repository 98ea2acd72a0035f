"""Which handlers a task's logger has: none of its own, a plain file, or those of nb_log."""

from __future__ import annotations

import logging
import logging.handlers
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from fsdf.nb_log_handlers import LogFile, add_nb_log_handlers, file_name
from fsdf.nb_log_sinks import sinks
from fsdf.task_id_filter import TaskIdFilter
from fsdf_core.errors import ConfigurationError
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from fsdf.params import BoosterParams

_FORMAT = "%(asctime)s %(levelname)-7s %(processName)s %(name)s %(task_id)s: %(message)s"
_lock = threading.Lock()


def add_log_handlers(logger: logging.Logger, params: BoosterParams) -> None:
    """Give a task's logger what its parameters and the settings ask for. Idempotent.

    Raises:
        MissingDependency: nb_log is asked for and not installed.
        ConfigurationError: the folder of log files cannot be made.
    """
    settings = get_settings()
    nb_log = (params.log_handler or settings.log_handler) == "nb_log"
    if not nb_log and params.log_filename is None:
        return
    file = None
    if params.create_logger_file:
        path = Path(settings.log_dir or settings.home / "logs", params.log_filename or file_name(params.queue_name))
        file = LogFile(path.parent, path.name, settings.log_file_size, settings.log_file_count)
    if nb_log:
        add_nb_log_handlers(logger, file, lambda: sinks(settings))
    elif file is not None:
        _add_plain_file(logger, file.folder / file.name)


def _add_plain_file(logger: logging.Logger, path: Path) -> None:
    with _lock:
        if any(getattr(handler, "fsdf_path", None) == path for handler in logger.handlers):
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Lines of many processes are appended whole; programs such as logrotate may take the file away.
            handler = logging.handlers.WatchedFileHandler(path, encoding="utf-8", delay=True)
        except OSError as error:
            raise ConfigurationError(
                f"log files cannot be in {path.parent}: {error.strerror}. Set FSDF_LOG_DIR, or create_logger_file=False"
            ) from None
        handler.fsdf_path = path  # type: ignore[attr-defined]
        handler.setFormatter(logging.Formatter(_FORMAT))
        handler.addFilter(TaskIdFilter())
        logger.addHandler(handler)
