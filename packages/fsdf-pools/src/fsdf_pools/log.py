"""The logger of this package, and how a failed call is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOGGER = logging.getLogger("fsdf.pools")


def log_failure(fn: Callable[..., object]) -> None:
    """Log the exception being handled, with its traceback, as the failure of `fn`.

    Args:
        fn: The callable that raised.
    """
    LOGGER.error("%s failed", getattr(fn, "__qualname__", None) or repr(fn), exc_info=True)  # noqa: LOG014 - the caller handles one
