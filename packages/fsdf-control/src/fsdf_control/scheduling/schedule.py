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

_MOST = 100
"""Times of one schedule that are published before the others have their turn."""

_OUTAGE = 10.0
"""Seconds late from which times count as missed; a dead process is replaced well within them."""


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
        broker_options: the queue's own, as `broker_exclusive_config`.
        catch_up: for times that were missed because no scheduler ran for more than 10 s; default "one".
        misfire_grace_time: seconds after which a time is not published any more; None (default): never.
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
    broker_options: dict[str, Any] = field(default_factory=dict)
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

    def due_at(self, moment: float) -> float:
        """Return when a moment of the trigger is published: later by its jitter, the same in every process."""
        jitter = self.trigger.timing.jitter
        if not jitter:
            return moment
        digest = hashlib.blake2b(f"{self.id} {moment!r}".encode(), digest_size=4).digest()
        return moment + jitter * int.from_bytes(digest, "big") / 2**32

    def to_publish(self, first: float, now: float) -> tuple[list[float], float | None]:
        """Return the moments to publish now, and the next one to look at; None if there is none.

        What is at most 10 s late is published whatever `catch_up` says, so that nothing is lost while one process
        takes over from a dead one. If the oldest is later, nobody has run the schedules for a while.

        Args:
            first: the earliest moment that is not done, seconds since the epoch.
            now: the time.
        """
        timing = self.trigger.timing
        grace = self.misfire_grace_time
        if self.catch_up != "all" and now - self.due_at(first) > _OUTAGE:
            last = timing.latest(first, now)
            if self.due_at(last) > now:
                return [], last  # its jitter has not passed: it was not missed
            late = self.catch_up == "none" or (grace is not None and now - self.due_at(last) > grace)
            return ([] if late else [last]), timing.next_after(last)
        moments: list[float] = []
        moment: float | None = first
        if grace is not None and first < now - grace - timing.jitter:
            moment = timing.next_after(now - grace - timing.jitter - 1e-6)
        while moment is not None and len(moments) < _MOST and self.due_at(moment) <= now:
            if grace is None or now - self.due_at(moment) <= grace:
                moments.append(moment)
            moment = timing.next_after(moment)
        return moments, moment


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
