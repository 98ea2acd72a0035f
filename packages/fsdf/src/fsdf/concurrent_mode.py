"""How the calls of a consumer run side by side."""

from __future__ import annotations

from enum import Enum

from fsdf_core.errors import UnknownName
from fsdf_core.suggest import did_you_mean


class ConcurrentModeEnum(str, Enum):
    """What may stand as `concurrent_mode`. A value is the pool's entry-point name (`fsdf.pools`)."""

    THREADING = "threading"
    GEVENT = "gevent"
    EVENTLET = "eventlet"
    ASYNC = "async"
    SINGLE_THREAD = "single_thread"
    SOLO = "single_thread"  # noqa: PIE796 - known alias
    PROCESS = "process"
    RAY = "ray"

    def __str__(self) -> str:
        return self.value


_NUMBERS = {
    1: ConcurrentModeEnum.THREADING,
    2: ConcurrentModeEnum.GEVENT,
    3: ConcurrentModeEnum.EVENTLET,
    4: ConcurrentModeEnum.ASYNC,
    5: ConcurrentModeEnum.SINGLE_THREAD,
}


def resolve_concurrent_mode(mode: str | int) -> ConcurrentModeEnum:
    """Return the mode of a member, its value or name, or the number of an older version.

    Raises:
        UnknownName: there is no such mode; suggests the nearest.
    """
    if isinstance(mode, int):
        if mode not in _NUMBERS:
            raise UnknownName(f"no concurrent_mode has the number {mode}: use a member of ConcurrentModeEnum")
        return _NUMBERS[mode]
    if mode in ConcurrentModeEnum.__members__:
        return ConcurrentModeEnum[mode]
    try:
        return ConcurrentModeEnum(mode)
    except ValueError:
        known = [member.value for member in ConcurrentModeEnum]
        raise UnknownName(
            f"no concurrent_mode {mode!r}.{did_you_mean(mode, known)} Known: {', '.join(known)}."
        ) from None
