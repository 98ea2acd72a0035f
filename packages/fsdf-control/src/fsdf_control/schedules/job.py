"""What is scheduled: data only, so that reading a job can run nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from typing import TYPE_CHECKING, Any, Literal

import orjson

from fsdf_control.schedules.trigger import build_timing
from fsdf_core.errors import ConfigurationError, DecodeError

if TYPE_CHECKING:
    from fsdf_control.schedules.timing import Timing

CatchUp = Literal["one", "all", "none"]
POLICIES = ("one", "all", "none")
_NAMESPACE = uuid.UUID("6f1c2a0e-0e0b-5f0e-9d5e-9b4f6f5c7a11")
_BEYOND = ("next_run_time", "version")
"""What a store keeps beside the data."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A call that is published at certain moments.

    Attributes:
        id: unique in its store; at most 191 characters.
        queue_name: where the call is published.
        broker_kind: the broker of the queue, by its entry-point name.
        trigger: "date", "interval" or "cron".
        trigger_args: the trigger's arguments as JSON data, with `timezone`.
        arguments: the call's arguments by name, JSON data.
        extra: options of the message, JSON data.
        priority: of the message, 0 (low) and up.
        broker_options: options that open the queue, JSON data.
        name: for people; default "".
        catch_up: what becomes of missed ticks: see `catch_up.plan`.
        misfire_grace_time: seconds a tick may be late; later ones are dropped. None: none is too late.
        anchor: the start of an interval without `start_date`, in seconds since the epoch.
        next_run_time: the next tick's moment, in seconds since the epoch; None while paused.
        version: another number after each change.
    """

    id: str
    queue_name: str
    broker_kind: str
    trigger: str
    trigger_args: dict[str, Any]
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)
    priority: int = 0
    broker_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    name: str = ""
    catch_up: CatchUp = "one"
    misfire_grace_time: float | None = None
    anchor: float = 0.0
    next_run_time: float | None = None
    version: int = 0

    @property
    def paused(self) -> bool:
        """Whether it waits to be resumed."""
        return self.next_run_time is None

    @property
    def timing(self) -> Timing:
        """Its moments."""
        return build_timing(self.trigger, self.trigger_args, self.anchor)

    def task_id(self, moment: float) -> str:
        """Return the task id of the tick at a moment: always the same, so that a repeated tick is recognised."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.queue_name}\n{self.id}\n{round(moment * 1e6)}"))

    def due(self, moment: float) -> float:
        """Return when the tick of a moment is published: later by a part of `jitter`, the same in all processes."""
        jitter = self.timing.jitter
        if not jitter:
            return moment
        digest = hashlib.sha256(self.task_id(moment).encode()).digest()
        return moment + jitter * int.from_bytes(digest[:4], "big") / 2**32

    def same_as(self, other: Job) -> bool:
        """Whether both were asked for in the same words."""
        return encode(dataclasses.replace(self, anchor=0.0)) == encode(dataclasses.replace(other, anchor=0.0))


def encode(job: Job) -> str:
    """Return the data as JSON, without what a store keeps in columns of its own.

    Raises:
        ConfigurationError: a value is not JSON data; names it.
    """
    data = {field.name: getattr(job, field.name) for field in dataclasses.fields(job) if field.name not in _BEYOND}
    try:
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:
        raise ConfigurationError(f"job {job.id!r}: {_culprit(data)} is not JSON data: {error}") from None


def decode(text: str, next_run_time: float | None, version: int) -> Job:
    """Return the job of such JSON; names that a newer version has added are left out.

    Raises:
        DecodeError: it is no job.
    """
    names = {field.name for field in dataclasses.fields(Job)} - set(_BEYOND)
    try:
        data = {name: value for name, value in orjson.loads(text).items() if name in names}
        return Job(**data, next_run_time=next_run_time, version=version)
    except (ValueError, TypeError, AttributeError) as error:
        raise DecodeError(f"a stored job cannot be read: {error}") from None


def _culprit(data: dict[str, Any]) -> str:
    for title, part in data.items():
        for name, value in part.items() if isinstance(part, dict) else ((None, part),):
            try:
                orjson.dumps(value)
            except TypeError:
                return title if name is None else f"{title}[{name!r}]"
    return "a key"
