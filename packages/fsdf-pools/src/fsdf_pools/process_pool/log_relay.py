"""Log records of a child process appear in its parent's logging."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import TYPE_CHECKING

from fsdf_pools.process_pool.answer import LOG

if TYPE_CHECKING:
    from collections.abc import Callable


class LogRelay(logging.Handler):
    """Sends records to the parent, their text made here.

    Args:
        send: takes a frame; may be called from any thread.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one; a parent that is gone reads none."""
        try:
            self._send(LOG + pickle.dumps(_plain(record)))
        except OSError:
            pass
        except Exception:  # noqa: BLE001 - as every handler of the standard library
            self.handleError(record)


def relay_logs(send: Callable[[bytes], None], level: int) -> None:
    """Send all records to the parent, unless the main module, imported here as well, has set up logging itself.

    Args:
        send: takes a frame; may be called from any thread.
        level: of the parent's root logger.
    """
    root = logging.getLogger()
    if not root.handlers:
        root.setLevel(level)
        root.addHandler(LogRelay(send))


def handle_relayed(body: bytes) -> None:
    """Log, in the parent, a record that a child has sent."""
    record = pickle.loads(body)  # noqa: S301 - from our own child
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


def _plain(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy without arguments and exceptions, which may not be picklable; their text stays."""
    plain = copy.copy(record)
    plain.msg, plain.args = record.getMessage(), None
    if record.exc_info and not record.exc_text:
        plain.exc_text = logging.Formatter().formatException(record.exc_info)
    plain.exc_info = None
    for name, value in list(plain.__dict__.items()):
        if not isinstance(value, str | int | float | bool | type(None)):
            plain.__dict__[name] = str(value)
    return plain
