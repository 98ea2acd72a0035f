"""The contract of a record store: what became of each task, for people to look at.

Records are written in batches, off the hot path, and losing the store never stops consumption. Beside them it keeps
counts of each queue by second, minute, hour and day, so that charts never look at records.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from fsdf_core.record_row import row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from fsdf_core.record_row import Row
    from fsdf_core.settings import Settings
    from fsdf_core.success_rows import SuccessRows

RUNNING, SUCCESS, FAILURE, DROPPED = "running", "success", "failure", "dropped"
REQUEUED, DEAD_LETTER = "requeued", "dead-letter"
STATUSES = (RUNNING, SUCCESS, FAILURE, DROPPED, REQUEUED, DEAD_LETTER)
"""What a record's status can be."""

STEPS = {1: 2 * 3600, 60: 3 * 86_400, 3600: 62 * 86_400, 86_400: 3660 * 86_400}
"""Seconds of the steps that counts are kept for, with the seconds for which they are kept."""


class Attempt(NamedTuple):
    """One run of a task. Times are seconds since the epoch; `error` is "Type: message", "" of a success."""

    started: float
    finished: float
    error: str = ""


@dataclass(slots=True)  # not frozen: that would take five times as long to build
class TaskRecord:
    """One task's life. Times are seconds since the epoch.

    Attributes:
        task_id: the message's id; of two records of one id the one with the later moment stays, else the one that
            was written last.
        queue: its queue.
        function: the function's name.
        status: one of `STATUSES`; "requeued" and "running" are not the end.
        published: when it was sent; None if its producer did not say.
        started: begin of its last run; None if it did not run.
        finished: end of its last run, or when its message was settled without; None while it runs.
        attempts: how often it ran, also before it was put back on the queue.
        timeline: its runs since it was received last, if there were several.
        arguments: the function's arguments, secrets masked.
        extra: the message's control data, if there are any besides its stamps.
        result: what it returned, if results are saved; JSON data.
        error_type: the last failure's type, or "".
        error: its message; why it was dropped, put back or dead-lettered.
        traceback: the last failure's, or "".
        worker: the consumer's id.
        host: the worker's host name.
        process: its process id.
        thread: identifier of the thread that ran it; 0 if it did not run.
        script: path of the worker's main script.
        context: what the user's task added.
        expires: when the record may be deleted; None: never.
    """

    task_id: str
    queue: str
    function: str
    status: str
    published: float | None
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    timeline: Sequence[Attempt] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None
    error_type: str = ""
    error: str = ""
    traceback: str = ""
    worker: str = ""
    host: str = ""
    process: int = 0
    thread: int = 0
    script: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    expires: float | None = None

    @property
    def moment(self) -> float:
        """When it ended, else started, else was published: what lists are ordered by."""
        if self.finished is not None:
            return self.finished
        return self.started if self.started is not None else self.published or 0.0

    @property
    def seconds(self) -> float | None:
        """How long its last run took; None if it did not run, or still does."""
        return None if self.started is None or self.finished is None else self.finished - self.started


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which records to find; None and empty leave a field open. Newest first.

    Attributes:
        queue: of this queue.
        status: one of `STATUSES`.
        error_type: the failure's type.
        task_id: this one.
        since: whose moment is not before.
        until: whose moment is before.
        text: in the arguments' JSON, or in the error's message, upper and lower case alike where the database does so.
        arguments: text of values in the arguments, by path: `{"user.id": "5", "tags[0]": "new"}`.
        min_seconds: whose run took at least so long.
        max_seconds: at most so long.
        limit: how many, 1 to 1000.
        cursor: `Page.next` of the page before; default: the newest.
    """

    queue: str | None = None
    status: str | None = None
    error_type: str | None = None
    task_id: str | None = None
    since: float | None = None
    until: float | None = None
    text: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    min_seconds: float | None = None
    max_seconds: float | None = None
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What `find` found.

    Attributes:
        records: newest first; without `timeline`, `extra`, `result`, `traceback` and `context`, which `get` returns.
        next: `RecordQuery.cursor` of the next page; None after the last.
        reached: if the search stopped at `RecordStore.scanned` records before the page was full, the moment of the
            last one that it looked at; the next page goes on there. Else None.
    """

    records: Sequence[TaskRecord]
    next: str | None = None
    reached: float | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What happened in one step of time on a queue.

    Attributes:
        queue: its name.
        second: the step's start, seconds since the epoch, a multiple of the step's length.
        successes: tasks whose function returned.
        failures: tasks that failed for good, dead letters included.
        dropped: messages that did not run.
        requeued: messages put back on the queue.
        retries: runs after the first one of a delivery.
        runs: runs that `seconds_spent` is the sum of.
        seconds_spent: in the function.
        backlog: most messages that waited in the queue, as seen now and then; None if nobody looked.
    """

    queue: str
    second: int
    successes: int = 0
    failures: int = 0
    dropped: int = 0
    requeued: int = 0
    retries: int = 0
    runs: int = 0
    seconds_spent: float = 0.0
    backlog: int | None = None


class RecordStore(ABC):
    """Keeps records and counts. Thread-safe.

    Every method may raise StateUnavailable (trying again may help), StateError (the store refuses) or
    ConfigurationError (a wrong URL, password or query).

    Attributes:
        scanned: records that one `find` looks at, at most, for what no index knows; default 10 000.
        cooperative: see `Broker.cooperative`.
    """

    scanned: int = 10_000
    cooperative: bool = False

    @classmethod
    @abstractmethod
    def from_url(cls, url: str, settings: Settings) -> Self:
        """Build the store that the URL describes; opens no connection yet."""

    @abstractmethod
    def write(self, records: Sequence[Row], counts: Sequence[Count] = (), successes: SuccessRows | None = None) -> None:
        """Write records and add to the counts, together where the database can.

        Args:
            records: one replaces another of the same task, unless its moment is earlier: workers on several machines
                write what they did in any order.
            counts: of single seconds; they are added to the steps of `STEPS`.
            successes: more records.
        """

    def save(self, records: Sequence[TaskRecord], counts: Sequence[Count] = ()) -> None:
        """`write` for records that are no rows yet."""
        self.write(list(map(row, records)), counts)

    @abstractmethod
    def find(self, query: RecordQuery) -> Page:
        """Return matching records, newest first; looks at `scanned` records at most for what no index knows."""

    @abstractmethod
    def get(self, task_id: str) -> TaskRecord | None:
        """Return one task's whole record."""

    @abstractmethod
    def how_many(self, query: RecordQuery, most: int = 10_000) -> int:
        """Count matching records up to `most`; of what no index knows, among the newest `scanned`.

        `limit` and `cursor` play no part.
        """

    @abstractmethod
    def queues(self) -> list[str]:
        """Return the queues of which there are counts, sorted."""

    @abstractmethod
    def counts(self, queue: str | None, since: float, until: float, step: int) -> list[Count]:
        """Return the counts of steps that start in [since, until), by queue and time; steps without any are left out.

        Args:
            queue: its name; None: each queue's.
            since: seconds since the epoch.
            until: seconds since the epoch.
            step: seconds; a multiple of one of `STEPS`, of which the longest that divides it is read.
        """

    @abstractmethod
    def prune(self, now: float, limit: int = 1000) -> int:
        """Delete up to `limit` records that have expired, and counts that are too old; return how many records."""

    def close(self) -> None:  # noqa: B027 - optional
        """Close all connections. Idempotent."""
