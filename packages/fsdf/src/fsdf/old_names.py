"""Parameter names of older versions."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

RENAMED = {
    "consumin_function_decorator": "consuming_function_decorator",
    "is_send_consumer_hearbeat_to_redis": "is_send_consumer_heartbeat_to_redis",
    "msg_expire_senconds": "msg_expire_seconds",
    "threads_num": "concurrent_num",
}

GONE = {
    "is_consuming_function_use_multi_params": "a task always takes its arguments by name",
    "msg_schedule_time_intercal": "set qps=1/seconds instead",
    "retry_interval": "set is_using_advanced_retry=True and advanced_retry_config instead",
}

OPTIONS_WITHOUT_EFFECT = {
    "max_connections": "connections are opened as threads need them",
    "min_connections": "connections are opened as threads need them",
    "poll_interval": "an idle consumer is woken by the server",
    "pull_base_interval": "an idle consumer is woken by the server",
    "pull_max_interval": "an idle consumer is woken by the server",
    "pull_msg_batch_size": "a consumer takes what its workers can run soon",
    "redis_bulk_push": "push() returns when the message is accepted; publish many with push_many()",
    "timeout_minutes": "a dead worker is noticed by its lost connection",
    "ultra_fast_mode": "everything is batched",
    "use_listen_notify": "it is always used",
}
"""Keys of `broker_exclusive_config` that older versions had, and why they are not needed."""


def known_options(given: Mapping[str, Any], known: Collection[str], owner: str) -> dict[str, Any]:
    """Return the options that a broker knows; one that is not needed any more warns.

    Args:
        given: what the user wrote.
        known: the broker's options.
        owner: the broker's kind, for the message.

    Raises:
        ConfigurationError: an option is unknown; suggests the nearest.
    """
    current = {}
    for name, value in given.items():
        if name in known:
            current[name] = value
        elif name in OPTIONS_WITHOUT_EFFECT:
            warnings.warn(
                f"broker_exclusive_config: {name!r} has no effect: {OPTIONS_WITHOUT_EFFECT[name]}",
                DeprecationWarning,
                stacklevel=_to_the_user(),
            )
        else:
            raise ConfigurationError(
                f"broker_exclusive_config: {owner} has no option {name!r}.{did_you_mean(name, sorted(known))} "
                f"It has: {', '.join(sorted(known)) or 'none'}."
            )
    return current


def modernised(given: Mapping[str, Any], known: Collection[str], owner: str) -> dict[str, Any]:
    """Return the parameters under their present names; an old spelling warns.

    Args:
        given: what the user wrote.
        known: the present names.
        owner: what the parameters belong to, for the message.

    Raises:
        ConfigurationError: a name is unknown (suggests the nearest), is gone (says what to do), or is given
            in both spellings.
    """
    if known >= given.keys():  # type: ignore[operator]
        return dict(given)
    current: dict[str, Any] = {}
    for name, value in given.items():
        new = RENAMED.get(name, name)
        if new not in known:
            cure = GONE.get(name)
            raise ConfigurationError(
                f"{owner} has no parameter {name!r} any more: {cure}"
                if cure
                else f"{owner} has no parameter {name!r}.{did_you_mean(name, known)}"
            )
        if new in current or (new != name and new in given):
            raise ConfigurationError(f"{owner}: {name!r} is the old spelling of {new!r}, give only one of them")
        if new != name:
            warnings.warn(f"{name!r} is called {new!r} now", DeprecationWarning, stacklevel=_to_the_user())
        current[new] = value
    return current


def _to_the_user() -> int:
    """Return the stack level of the user's own line, for a warning in the caller.

    Python shows a DeprecationWarning only where the user's own script causes it.
    """
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - documented
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(f"{__package__}."):
        level, frame = level + 1, frame.f_back
    return level
