"""How worker processes are looked after."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean


@dataclass(frozen=True)
class SupervisorOptions:
    """Keyword arguments of `multi_process_consume`.

    Attributes:
        max_tasks_per_child: replace a process when it has finished this many messages, or a few more: it tells
            its count every half second. Default None: never.
        max_memory_per_child: replace a process when its resident memory, in bytes, is above this. Where only the
            peak can be read (macOS, BSD), the peak counts. Default None: never.
        stall_limit: seconds after which a process that no longer tells anything is killed, and one whose
            dispatcher or settler thread has died or stands still is replaced. A long task is no stall. None: never.
            Default 300: later than that its messages would be given to others anyway.
        start_limit: seconds that a process may take from its start until it consumes; one that takes longer is killed
            and started again. None: any time. Default 120.
        idle_time: seconds without need of a process, after which autoscaling ends it. Default 30.
        scale_up_after: seconds for which messages must have waited before autoscaling adds a process. Default 2.

    Raises:
        ConfigurationError: a value is not above 0.
    """

    max_tasks_per_child: int | None = None
    max_memory_per_child: int | None = None
    stall_limit: float | None = 300.0
    start_limit: float | None = 120.0
    idle_time: float = 30.0
    scale_up_after: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and (field.default is None or field.name in {"stall_limit", "start_limit"}):
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ConfigurationError(f"{field.name} must be a number above 0, not {value!r}")

    @classmethod
    def of(cls, given: dict[str, Any]) -> SupervisorOptions:
        """Build from keyword arguments.

        Raises:
            ConfigurationError: a name is unknown (suggests the nearest), or a value not valid.
        """
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise ConfigurationError(f"multi_process_consume has no option {name!r}.{did_you_mean(name, known)}")
        return cls(**given)
