"""Which message the running code belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_core.message import Message

current_message: ContextVar[Message] = ContextVar("fsdf_message")
"""The message being run; set by the worker before each run, and kept until its next one."""
