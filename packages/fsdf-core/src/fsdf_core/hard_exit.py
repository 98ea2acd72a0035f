"""Ending the process now, whatever its threads do."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import NoReturn

_begun = False


def exit_hard(status: int) -> NoReturn:
    """Write out what logging and the standard streams hold, and end without waiting for any thread."""
    global _begun  # noqa: PLW0603 - process-wide by nature
    if not _begun:  # called again, by a further signal: the lines below hang
        _begun = True
        with contextlib.suppress(Exception):
            logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
    os._exit(status)
