"""Task ids: UUID version 7 (RFC 9562, section 5.7), ordered by time."""

from __future__ import annotations

import itertools
import os
import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Seeded from the system's entropy; ids name tasks, they are no secrets.
_random = random.Random()  # noqa: S311
_time_ns = time.time_ns


def _begin(millisecond: int) -> tuple[int, str, Callable[[], int]]:
    noise = _random.getrandbits(73)
    text = f"{millisecond:012x}"
    prefix = f"{text[:8]}-{text[8:]}-7{noise >> 61:03x}-{0x8000 | noise >> 47 & 0x3FFF:04x}-"
    return millisecond, prefix, itertools.count(noise & 0x7FFFFFFFFFFF).__next__


_current = _begin(0)


def new_task_id() -> str:
    """Return a new UUIDv7 as text: 48 bits of Unix milliseconds, then bits that start at random and count.

    Ids of one thread are in order within a millisecond as well.
    """
    global _current  # noqa: PLW0603 - what a millisecond's ids share is made once
    millisecond = _time_ns() // 1_000_000
    known, prefix, count = _current
    if known != millisecond:
        _, prefix, count = _current = _begin(millisecond)
    return f"{prefix}{count():012x}"


def _begin_after_fork() -> None:
    """A forked child would repeat its parent's ids."""
    global _current  # noqa: PLW0603 - as above
    _random.seed()
    _current = _begin(0)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_after_fork)
