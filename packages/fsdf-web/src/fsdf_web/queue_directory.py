"""Which queues there are, and how to open them."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsdf_core import registry
from fsdf_core.errors import FsdfError, UnknownName
from fsdf_core.roster import KnownQueue
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fsdf_core.broker import Broker, Queue
    from fsdf_core.roster import Roster
    from fsdf_core.settings import Settings

_logger = logging.getLogger("fsdf.web")


@dataclass(frozen=True)
class LocalQueue:
    """A queue of this process.

    Attributes:
        known: what is known about it.
        open: returns it.
    """

    known: KnownQueue
    open: Callable[[], Queue]


class QueueDirectory:
    """Finds queues by name and opens them, one broker of a kind.

    Queues are known from workers that consume or consumed them, from records, from schedules, and from this process.

    Args:
        settings: where brokers are.
        local: names the queues of this process.
        roster: gives the roster.
        others: name more queues; a store that is away is logged and left out.
    """

    def __init__(
        self,
        settings: Settings,
        local: Callable[[], Iterable[LocalQueue]],
        roster: Callable[[], Roster],
        others: Sequence[Callable[[], Iterable[KnownQueue]]] = (),
    ) -> None:
        self._settings = settings
        self._local = local
        self._sources = (lambda: roster().queues(), *others)
        self._lock = threading.Lock()
        self._brokers: dict[str, Broker] = {}
        self._open: dict[tuple[str, str], Queue] = {}

    def all(self) -> dict[str, KnownQueue]:
        """Return the queues by name, sorted."""
        found = {each.known.name: each.known for each in self._local()}
        for source in self._sources:
            try:
                for known in source():
                    there = found.get(known.name)
                    if there is None or (not there.broker_kind and known.broker_kind):
                        found[known.name] = known
            except FsdfError as error:
                _logger.warning("some queues are not shown: %s: %s", type(error).__name__, error)
        return dict(sorted(found.items()))

    def get(self, name: str) -> KnownQueue:
        """Return a queue.

        Raises:
            UnknownName: nobody has named it; suggests the nearest.
        """
        known = self.all()
        if name not in known:
            raise UnknownName(f"no queue {name!r} is known here.{did_you_mean(name, known)}")
        return known[name]

    def local(self, name: str) -> Queue | None:
        """Return a queue of this process, or None if there is none of that name."""
        return next((each.open() for each in self._local() if each.known.name == name), None)

    def open(self, name: str, broker_kind: str | None = None) -> Queue:
        """Return an open queue.

        Args:
            name: the queue's.
            broker_kind: opens a queue that nobody has named; None (default): only known ones.

        Raises:
            UnknownName: there is no such queue, or no such broker.
            MissingDependency: the broker's client library is not installed here.
        """
        local = self.local(name)
        if local is not None:
            return local
        known = self.get(name) if broker_kind is None else self.all().get(name, KnownQueue(name, broker_kind))
        kind = known.broker_kind or broker_kind or self._settings.broker
        with self._lock:
            if (kind, name) not in self._open:
                broker = self._broker(kind)
                options = {key: value for key, value in known.broker_options.items() if key in broker.queue_options}
                self._open[kind, name] = broker.queue(name, **options)
            return self._open[kind, name]

    def close(self) -> None:
        """Close the brokers that were opened here."""
        with self._lock:
            for broker in self._brokers.values():
                broker.close()
            self._brokers.clear()
            self._open.clear()

    def _broker(self, kind: str) -> Broker:
        if kind not in self._brokers:
            self._brokers[kind] = registry.brokers.get(kind).from_settings(self._settings)
        return self._brokers[kind]
