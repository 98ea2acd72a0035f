"""How one message ended in a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsdf_core.verdict import Settlement


@dataclass(slots=True)  # not frozen: that would take five times as long to build
class Outcome:
    """What `Control.on_outcome` observes, before the message is settled.

    Attributes:
        success: whether the function returned.
        result: what it returned; None after a failure.
        error: what it raised last; None after a success.
        attempts: how often it ran in this worker.
        settlement: None if the message is acknowledged, else what becomes of it.
    """

    success: bool
    result: Any
    error: BaseException | None
    attempts: int
    settlement: Settlement | None
