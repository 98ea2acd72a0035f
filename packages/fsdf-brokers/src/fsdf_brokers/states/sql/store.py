"""The state store on a SQL database."""

from __future__ import annotations

import os
import random
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from fsdf_brokers.states.sql.database import Database
from fsdf_brokers.states.sql.dialect import FOR_EVER, Dialect, Rows
from fsdf_brokers.states.sql.listener import Listener
from fsdf_brokers.states.sql.mysql import MySQL
from fsdf_brokers.states.sql.postgresql import PostgreSQL
from fsdf_brokers.states.sql.sqlite import SQLite
from fsdf_brokers.states.sql.url import parse
from fsdf_brokers.states.sql.waiters import Waiter, Waiters
from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable
from fsdf_core.green.native import threading
from fsdf_core.state import StateStore
from fsdf_core.watch import PollingWatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from typing_extensions import Self

    from fsdf_core.settings import Settings
    from fsdf_core.state import Keys
    from fsdf_core.watch import Watch

LONGEST_NAME = 512
"""Bytes of a key, field, owner or channel in UTF-8: what an index of each database holds."""
_SWEEP_EVERY = 1000
"""Rows written, on average, between two sweeps of expired ones: by chance, so that short processes sweep too."""
_DIALECTS: dict[str, type[Dialect]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "mysql": MySQL,
    "mariadb": MySQL,
}


class SQLStateStore(StateStore):
    """Tables `fsdf_state_*`, created at first use, in SQLite, PostgreSQL, MySQL or MariaDB.

    Times are the server's; of a SQLite file, the host's. Values are up to 1 GB, on MySQL up to `max_allowed_packet`.
    A connection that broke while idle is replaced; one that breaks during an operation too, unless to repeat the
    operation could do harm (add, replace, delete, increment, hash_delete, release): then StateUnavailable is raised
    and whether it was done is not known.

    Args:
        url: sqlite:///path, postgresql://…, mysql://… or mariadb://…; SQLAlchemy's `+psycopg`, `+pymysql` are allowed.

    Raises:
        ConfigurationError: the URL is not valid, or a name is longer than 512 bytes.
        MissingDependency: the driver is not installed (at first use).
        StateUnavailable: the server is not reachable (at first use and later).
        StateError: the database refuses.
    """

    cross_process = True
    retryable_errors = (StateUnavailable,)

    def __init__(self, url: str) -> None:
        parsed = parse(url)
        self._dialect = _DIALECTS[parsed.get_backend_name()]()
        self._database = Database(parsed, self._dialect)
        self.wakes = isinstance(self._dialect, PostgreSQL)
        self._reset()
        _stores.add(self)

    def _reset(self) -> None:
        self._waiters = Waiters(attached=self._listen_for if self.wakes else None)
        self._listening = threading.Lock()
        self._listener: Listener | None = None

    @classmethod
    def from_url(cls, url: str, settings: Settings) -> Self:  # noqa: ARG003 - nothing to configure
        """Build the store."""
        return cls(url)

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values."""
        if not keys:
            return []
        names = [_name(key) for key in keys]
        found = self._database.run(lambda cursor: self._dialect.get(cursor, names), write=False, again=True)
        return [found.get(name) for name in names]

    def set(self, values: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all values, all or none."""
        if values:
            rows = _rows(values)
            self._database.run(lambda cursor: self._dialect.set(cursor, rows, _lifetime(ttl)), again=True)
            self._sweep(len(rows))

    def add(self, values: Mapping[str, bytes], ttl: float | None = None) -> Keys:
        """Write those that are absent."""
        if not values:
            return set()
        rows = _rows(values)
        added = self._database.run(lambda cursor: self._dialect.add(cursor, rows, _lifetime(ttl)))
        self._sweep(len(added))
        return _texts(added)

    def replace(self, key: str, old: bytes, new: bytes, ttl: float | None = None) -> bool:
        """Compare and set."""
        name = _name(key)
        return self._database.run(lambda cursor: self._dialect.replace(cursor, name, old, new, _lifetime(ttl)))

    def touch(self, values: Mapping[str, bytes], ttl: float) -> Keys:
        """Renew the TTL of what is unchanged."""
        if not values:
            return set()
        rows = _rows(values)
        return _texts(self._database.run(lambda cursor: self._dialect.touch(cursor, rows, ttl), again=True))

    def delete(self, keys: Sequence[str]) -> int:
        """Delete keys and hashes."""
        names = sorted({_name(key) for key in keys})
        return self._database.run(lambda cursor: self._dialect.delete(cursor, names)) if names else 0

    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        """Add to a counter; any number of digits."""
        name = _name(key)
        total = self._database.run(lambda cursor: self._dialect.increment(cursor, name, by, _lifetime(ttl)))
        self._sweep(1)
        return total

    def hash_set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """Write fields."""
        if fields:
            name, rows = _name(key), _rows(fields)
            self._database.run(lambda cursor: self._dialect.hash_set(cursor, name, rows), again=True)

    def hash_get(self, key: str) -> dict[str, bytes]:
        """Return all fields."""
        name = _name(key)
        found = self._database.run(lambda cursor: self._dialect.hash_get(cursor, name), write=False, again=True)
        return {field.decode(): value for field, value in found.items()}

    def hash_delete(self, key: str, fields: Sequence[str]) -> int:
        """Delete fields; an empty hash is gone."""
        name, names = _name(key), sorted({_name(field) for field in fields})
        return self._database.run(lambda cursor: self._dialect.hash_delete(cursor, name, names)) if names else 0

    def acquire(self, lease: str, owner: str, ttl: float) -> int | None:
        """Take or renew; tokens are above the time in microseconds of the first taking."""
        name, who = _name(lease), _name(owner)
        token = self._database.run(lambda cursor: self._dialect.acquire(cursor, name, who, ttl), again=True)
        self._sweep(1)
        return token

    def release(self, lease: str, owner: str) -> bool:
        """End a lease; its token is remembered for a day, and later ones are higher anyway."""
        name, who = _name(lease), _name(owner)
        return self._database.run(lambda cursor: self._dialect.release(cursor, name, who))

    def notify(self, *channels: str) -> None:
        """Wake waiters in all processes."""
        names = [_name(channel) for channel in channels]
        if not names:
            return
        self._database.run(lambda cursor: self._dialect.notify(cursor, names), again=True)
        if not self.wakes:
            for name in names:
                self._waiters.wake(name)
            self._sweep(len(names))

    def watch(self, *channels: str) -> Watch:
        """On PostgreSQL hear its notifications; elsewhere look at growing intervals."""
        for channel in channels:
            _name(channel)
        if self.wakes:
            return self._waiters.watches.open(channels)
        watch = PollingWatch(self._waiters.watches, self._versions, self._dialect.pauses)
        watch.add(*channels)
        return watch

    def wait(self, channel: str, timeout: float) -> bool:
        """Wait: on PostgreSQL until its notification, elsewhere by looking every few milliseconds.

        A server that is away ends no wait, so that nobody spins: the wait lasts its time and is unsure.
        """
        name = _name(channel)
        deadline = time.monotonic() + timeout
        with self._waiters.on(name) as waiter:
            if self.wakes:
                # Not listening means unsure.
                sure = self._listen().ready.wait(timeout)
                waiter.event.wait(max(deadline - time.monotonic(), 0))
                return waiter.woken or (not sure and not waiter.event.is_set())
            return self._poll(name, waiter, deadline)

    def close(self) -> None:
        """Close the connections and end the waits."""
        with self._listening:
            listener, self._listener = self._listener, None
        self._waiters.end()
        if listener is not None:
            listener.close()
        self._database.close()

    def _poll(self, channel: bytes, waiter: Waiter, deadline: float) -> bool:
        pause, longest = self._dialect.pauses
        known, seen = False, None
        while True:
            sure = True
            try:
                version = self._database.run(
                    lambda cursor: self._dialect.version(cursor, channel), write=False, again=True
                )
            except StateUnavailable:
                sure = False
            else:
                if not known:
                    known, seen = True, version
                elif version not in {None, seen}:
                    return True
            left = deadline - time.monotonic()
            if left <= 0:
                return not (known and sure)
            if waiter.event.wait(min(pause, left)):
                return waiter.woken
            pause = min(pause * 1.5, longest)

    def _versions(self, channels: Sequence[str]) -> dict[str, int] | None:
        names = {channel: _name(channel) for channel in channels}
        try:
            found = {
                channel: self._database.run(
                    lambda cursor, name=name: self._dialect.version(cursor, name),  # type: ignore[misc]
                    write=False,
                    again=True,
                )
                for channel, name in names.items()
            }
        except StateUnavailable:
            return None
        return {channel: version for channel, version in found.items() if version is not None}

    def _listen_for(self, _: Sequence[str]) -> None:
        self._listen()

    def _listen(self) -> Listener:
        with self._listening:
            if self._listener is None:
                self._listener = Listener(self._database.connection, self._waiters)
            return self._listener

    def _sweep(self, written: int) -> None:
        if random.random() * _SWEEP_EVERY < written:  # noqa: S311 - no secret
            # The next writer sweeps what this one could not.
            with suppress(StateError):
                self._database.run(lambda cursor: self._dialect.sweep(cursor, 2 * max(written, _SWEEP_EVERY)))


def _name(text: str) -> bytes:
    name = text.encode()
    if len(name) > LONGEST_NAME:
        raise ConfigurationError(f"{text[:40]!r}… is longer than {LONGEST_NAME} bytes, the most a state store takes")
    return name


def _rows(values: Mapping[str, bytes]) -> Rows:
    return sorted((_name(key), value) for key, value in values.items())


def _texts(names: Iterable[bytes]) -> set[str]:
    return {name.decode() for name in names}


def _lifetime(ttl: float | None) -> float:
    return FOR_EVER if ttl is None else float(ttl)


_stores: weakref.WeakSet[SQLStateStore] = weakref.WeakSet()
_inherited: list[Listener | None] = []
"""Listeners of a parent process: to collect them could close the parent's connection."""


def _forget_after_fork() -> None:
    for store in list(_stores):
        _inherited.append(store._listener)  # noqa: SLF001 - this module's own class
        store._reset()  # noqa: SLF001 - as above


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
