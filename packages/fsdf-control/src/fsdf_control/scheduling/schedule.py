"""One schedule: what is published, where, when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from fsdf_control.scheduling.trigger import Trigger
from fsdf_core.errors import ConfigurationError

CatchUp = Literal["one", "all", "none"]
"""What becomes of times that nobody published in time: only the latest, each, or none is published."""

_MOST = 10_000


@dataclass(frozen=True)
class Schedule:
    """A call that is published whenever its trigger fires.

    Attributes:
        id: unique among the schedules of a book; `derived_id` makes one.
        queue_name: where it goes.
        trigger: when.
        arguments: the function's keyword arguments, JSON data.
        broker_kind: the broker that has the queue; "" is the default one.
        extra: options of the message, such as `priority`.
        catch_up: for times that were missed because no scheduler ran; default "one".
        misfire_grace_time: seconds after which a missed time is not published any more; None (default): never.
            With `catch_up="none"` it is 1 s, unless given.
        paused: fires not.
        name: for people; default: the id.

    Raises:
        ConfigurationError: the arguments are no JSON data, or a value makes no sense.
    """

    id: str
    queue_name: str
    trigger: Trigger
    arguments: dict[str, Any] = field(default_factory=dict)
    broker_kind: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    catch_up: CatchUp = "one"
    misfire_grace_time: float | None = None
    paused: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if self.catch_up not in {"one", "all", "none"}:
            raise ConfigurationError(f"catch_up is 'one', 'all' or 'none', not {self.catch_up!r}")
        if self.misfire_grace_time is not None and not self.misfire_grace_time > 0:
            raise ConfigurationError(f"misfire_grace_time must be above 0 s, not {self.misfire_grace_time}")
        try:
            self.to_json()
        except TypeError as error:
            raise ConfigurationError(f"the arguments of schedule {self.id!r} are no JSON data: {error}") from None

    def to_json(self) -> bytes:
        """Return what `from_json` reads."""
        return orjson.dumps(self, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, text: bytes) -> Schedule:
        """Read a schedule.

        Raises:
            ConfigurationError: it is none.
        """
        try:
            data = orjson.loads(text)
            return cls(**{**data, "trigger": Trigger(**data["trigger"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigurationError(f"not a schedule: {error}") from None

    def with_pause(self, *, paused: bool) -> Schedule:
        """Return the same schedule, paused or not."""
        return replace(self, paused=paused)

    def to_publish(self, first: float, now: float) -> tuple[list[float], float | None]:
        """Return the times to publish now, and the next time to look at; None if there is none.

        Args:
            first: the earliest time that is not done, seconds since the epoch.
            now: the time.
        """
        missed: list[float] = []
        last = first
        for fire in self.trigger.due(first, now):
            last = fire
            missed.append(fire)
            if len(missed) >= _MOST:
                break
        following = self.trigger.following(last) if missed else first
        grace = self.misfire_grace_time
        if grace is None and self.catch_up == "none":
            grace = 1.0
        if grace is not None:
            missed = [fire for fire in missed if now - fire <= grace]
        return (missed if self.catch_up == "all" else missed[-1:]), following


def derived_id(queue_name: str, trigger: Trigger, arguments: dict[str, Any]) -> str:
    """Return an id that the same schedule gets in every process and at every start.

    Raises:
        ConfigurationError: the arguments are no JSON data.
    """
    what = {key: value for key, value in trigger.arguments.items() if trigger.kind == "cron" or key != "start_date"}
    try:
        text = orjson.dumps([queue_name, trigger.kind, what, arguments], option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ConfigurationError(f"the arguments of a schedule for {queue_name!r} are no JSON data: {error}") from None
    return f"{queue_name}-{hashlib.blake2b(text, digest_size=8).hexdigest()}"
