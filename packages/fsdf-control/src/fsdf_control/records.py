"""Keep what became of each task, for people to look at."""

from __future__ import annotations

import logging
from itertools import chain
from time import time
from typing import TYPE_CHECKING, Any

from fsdf_control.record_builder import RecordBuilder
from fsdf_control.record_counter import RecordCounter
from fsdf_control.record_writer import RecordWriter
from fsdf_core.control import Control
from fsdf_core.success_rows import seconds_of
from fsdf_core.verdict import Delay, Release, Requeue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.record_row import Row
    from fsdf_core.records import RecordStore

WEEK = 7 * 86_400.0
_TOLD_AFTER = 1.0
"""Seconds after which a run that has not ended is recorded as running."""
_SIZE_EVERY = 10.0
_FLUSH = 5.0
"""Seconds to write the rest when the consumer has stopped."""


class Records(Control):
    """Records each task that ends, and counts, in a store; a thread of its own writes them in batches.

    Tasks never wait for the store to come back: what finds no room is lost, and the log says how much. What the task's
    message went back to the queue for without a run is only counted. Tasks that take longer than a second are recorded
    while they run.

    Args:
        store: opens the store; called when the consumer starts.
        function: the function's name; default "".
        results: keep results, too; default False.
        keep: seconds until a record may be deleted; default a week; None: never.
        mask_arguments: names of arguments that are masked, besides `fsdf_control.masking.SECRETS`.

    Raises:
        ValueError: `keep` is not above 0.

    Example:
        >>> from fsdf_core.registry import open_records
        >>> from fsdf_core.settings import get_settings
        >>> rule = Records(lambda: open_records(get_settings()), "send_mail", mask_arguments=["pin"])
    """

    wants_runs = True
    wants_outcomes = False  # a failure always has one

    def __init__(
        self,
        store: Callable[[], RecordStore],
        function: str = "",
        *,
        results: bool = False,
        keep: float | None = WEEK,
        mask_arguments: Iterable[str] = (),
    ) -> None:
        if keep is not None and not keep > 0:
            raise ValueError(f"records are kept for more than 0 seconds, not {keep}")
        self._store = store
        self._function = function
        self._results = results
        self._keep = keep
        self._masked = tuple(mask_arguments)
        self._told: set[Message] = set()
        self._host: Host | None = None
        self._counter = RecordCounter("")
        self._builder = RecordBuilder("", function, "", keep, results=results, masked=())
        self._writer: RecordWriter | None = None
        self._sized_at = 0.0
        self._logger = logging.getLogger("fsdf.control")

    def start(self, host: Host) -> None:
        """Begin to write; the store connects with the first record."""
        self._told = set()
        self._host, self._logger = host, host.logger
        queue = host.queue.name
        self._counter = RecordCounter(queue)
        self._builder = RecordBuilder(
            queue, self._function, host.consumer_id, self._keep, results=self._results, masked=self._masked
        )
        self._writer = RecordWriter(
            queue, self._store(), self._running, self._counter.take, self._builder.shared, host.logger
        )
        self._writer.start()

    def stop(self) -> None:
        """Write what is left, for at most five seconds."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close(_FLUSH)

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Hand over to the writer."""
        told = [(message, self._builder.success(message)) for message in messages]
        if successes := [success for _, success in told if success is not None]:
            self.on_digests(successes)
        if others := [message for message, success in told if success is None]:
            now = time()
            self._counter.add(others, now)
            if self._writer is not None:
                self._writer.put(self._ended(others, now))

    def digest(self, message: Message) -> Any:
        """Return what a simple success's record has of its own."""
        return self._builder.simple_success(message)

    def on_digests(self, digests: Sequence[Any]) -> None:
        """Hand over to the writer."""
        values = list(chain.from_iterable(digests))
        self._counter.add_successes(len(digests), seconds_of(values), time())
        if self._writer is not None:
            self._writer.put_successes(values)

    def tick(self, now: float) -> None:
        """Ask the queue's size every 10 s."""
        host = self._host
        if host is not None and now >= self._sized_at and host.queue.broker.capabilities.size:
            self._sized_at = now + _SIZE_EVERY
            self._counter.see_backlog(host.queue.size().ready, time())

    def _ended(self, messages: Sequence[Message], now: float) -> list[Row]:
        """Return records of those that ran, or never will."""
        rows = []
        for message in messages:
            if message.began or not isinstance(message.settlement, Requeue | Delay | Release):
                try:
                    rows.append(self._builder.ended(message, now))
                except Exception:  # an argument or an error may be a trap
                    self._logger.exception("task %s cannot be recorded", message.task_id)
        return rows

    def _running(self) -> list[Row]:
        host = self._host
        before = time() - _TOLD_AFTER
        running = {message: began for message, began in (host.running() if host else ()) if began < before}
        told, self._told = self._told, set(running)
        return [self._builder.running(message, began) for message, began in running.items() if message not in told]
