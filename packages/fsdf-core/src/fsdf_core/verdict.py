"""What a control may decide about a message; the consumer carries it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Drop:
    """Acknowledge without running."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delay:
    """Put back, to be delivered again after `seconds`; its place is given up."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Requeue:
    """Put back at the end of the queue, after `delay` seconds (default 0).

    `extra` is control data to change on the way: then the message is sent anew, and the old one acknowledged.
    """

    delay: float = 0.0
    extra: dict[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Store on the dead-letter queue with the reason, then acknowledge."""

    reason: str
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Give back as if it had never been taken: same place, same delivery count."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Run again in the same worker after `after` seconds (default 0)."""

    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Fail:
    """Acknowledge as failed: no more attempts."""


Admission = Drop | Delay | Requeue | DeadLetter
"""What `Control.admit` may answer instead of None (run it)."""

Recovery = Retry | Requeue | DeadLetter | Fail
"""What `Control.on_error` may answer instead of None (ask the next control)."""

Settlement = Drop | Delay | Requeue | DeadLetter | Release
"""What the settler does with a message that is not simply acknowledged."""
