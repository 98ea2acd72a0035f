"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "risk", "fault"]


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        level: "good", "risk" (it works, but not as you may think) or "fault" (it does not work).
        subject: what was looked at.
        detail: what was seen.
        cure: what to do; "" if nothing.
    """

    level: Level
    subject: str
    detail: str
    cure: str = ""
