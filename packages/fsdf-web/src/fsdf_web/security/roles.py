"""What a visitor may do."""

from __future__ import annotations

from enum import Enum


class Role(str, Enum):
    """READER looks; ADMIN also publishes, pauses, clears, schedules and shuts down."""

    READER = "reader"
    ADMIN = "admin"
