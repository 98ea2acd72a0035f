"""Task ids: UUID version 7 (RFC 9562, section 5.7), ordered by time."""

import os
import random
import time

# Seeded from the system's entropy; ids name tasks, they are no secrets.
_random = random.Random()  # noqa: S311
_getrandbits = _random.getrandbits

# A forked child would repeat its parent's ids.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def new_task_id() -> str:
    """Return a new UUIDv7 as text: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    noise = _getrandbits(74)
    text = f"{milliseconds:012x}{0x7000 | noise >> 62:04x}{(noise & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
