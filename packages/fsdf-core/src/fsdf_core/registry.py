"""Adapters by name: entry points of installed distributions, and classes registered by code.

Built-in adapters come through the same door as third-party ones. An adapter is imported when it is used.
"""

from __future__ import annotations

import functools
import os
import threading
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fsdf_core.errors import ConfigurationError, MissingDependency, UnknownName
from fsdf_core.green.records import cooperative_records
from fsdf_core.green.state import cooperative_state
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from fsdf_core.broker import Broker
    from fsdf_core.pool import Pool
    from fsdf_core.records import RecordStore
    from fsdf_core.settings import Settings
    from fsdf_core.state import StateStore

T = TypeVar("T")

_installed = functools.cache(entry_points)
"""All entry points: to find those of one group costs as much, since the files of all distributions are read."""


class Registry(Generic[T]):
    """The adapters of one entry-point group.

    Args:
        group: entry-point group, such as "fsdf.brokers".
        noun: what one of them is called in errors.
    """

    def __init__(self, group: str, noun: str) -> None:
        self._group = group
        self._noun = noun
        self._lock = threading.Lock()
        self._loaded: dict[str, type[T]] = {}
        self._found: dict[str, EntryPoint] | None = None

    def register(self, name: str, adapter: type[T]) -> None:
        """Make a class known under a name in this process; replaces an installed one."""
        with self._lock:
            self._loaded[name] = adapter

    def names(self) -> list[str]:
        """Return the names of all adapters, sorted."""
        with self._lock:
            return sorted({*self._loaded, *self._entry_points()})

    def get(self, name: str) -> type[T]:
        """Return the adapter's class, importing it if need be.

        Raises:
            UnknownName: none of that name; lists them and suggests the nearest.
            MissingDependency: its client library is not installed; names the pip command.
            ConfigurationError: its distribution is broken.
        """
        with self._lock:
            if name in self._loaded:
                return self._loaded[name]
            point = self._entry_points().get(name)
        if point is None:
            known = self.names()
            raise UnknownName(
                f"no {self._noun} {name!r}.{did_you_mean(name, known)} Installed: {', '.join(known) or 'none'}."
            )
        adapter: type[T] = self._import(point)
        with self._lock:
            return self._loaded.setdefault(name, adapter)

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._found is None:
            self._found = {point.name: point for point in _installed().select(group=self._group)}
        return self._found

    def _import(self, point: EntryPoint) -> Any:
        try:
            return point.load()
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            own = point.module.partition(".")[0]
            if missing in {"", own}:
                raise ConfigurationError(
                    f"the {self._noun} {point.name!r} points to {point.value!r}, which is gone: "
                    f"reinstall its distribution ({point.dist.name if point.dist else own})"
                ) from error
            extra = point.name.split("_")[0].lower() if not point.extras else point.extras[0]
            raise MissingDependency(
                f"the {self._noun} {point.name!r} needs the library {missing!r}: pip install fsdf[{extra}]"
            ) from error


brokers: Registry[Broker] = Registry("fsdf.brokers", "broker")
pools: Registry[Pool] = Registry("fsdf.pools", "pool")
states: Registry[StateStore] = Registry("fsdf.states", "state store")
records: Registry[RecordStore] = Registry("fsdf.records", "record store")


def open_state(settings: Settings) -> StateStore:
    """Return the process's one store for `settings.state_url`; a forked child gets its own.

    Without a URL it is the SQLite file `state.sqlite` in `settings.home`. All users of a URL share the store:
    close it only when the process is done with it.

    Raises:
        ConfigurationError: the URL is none.
        UnknownName: no store is installed for its scheme; suggests the nearest.
        MissingDependency: the store's client library is not installed.
    """
    secret = settings.state_url
    url = secret.get_secret_value() if secret else f"sqlite:///{default_state_file(settings).as_posix()}"
    store = _opened(
        _open, states, url, settings, "FSDF_STATE_URL", "sqlite:///path, postgresql://…, redis://… or memory://"
    )
    return cooperative_state(store)


def open_records(settings: Settings) -> RecordStore:
    """Return the process's one store for `settings.records_url`; a forked child gets its own.

    Without a URL it is the SQLite file `records.sqlite` in `settings.home`. All users of a URL share the store.

    Raises:
        ConfigurationError: the URL is none.
        UnknownName: no store is installed for its scheme; suggests the nearest.
        MissingDependency: the store's client library is not installed.
    """
    secret = settings.records_url
    url = secret.get_secret_value() if secret else f"sqlite:///{default_records_file(settings).as_posix()}"
    store = _opened(
        _records, records, url, settings, "FSDF_RECORDS_URL", "sqlite:///path, postgresql://… or mongodb://…"
    )
    return cooperative_records(store)


def default_records_file(settings: Settings) -> Path:
    """Return the file that holds the records if `settings.records_url` is not set."""
    return settings.home / "records.sqlite"


def default_state_file(settings: Settings) -> Path:
    """Return the file that holds the state if `settings.state_url` is not set."""
    return settings.home / "state.sqlite"


S = TypeVar("S", "StateStore", "RecordStore")


def _opened(opened: dict[str, S], known: Registry[S], url: str, settings: Settings, setting: str, forms: str) -> S:
    scheme, colon, _ = url.partition(":")
    if not colon:
        raise ConfigurationError(f"{setting} is no URL: use {forms}")
    with _opening:
        if url not in opened:
            opened[url] = known.get(scheme.partition("+")[0].lower()).from_url(url, settings)
        return opened[url]


_opening = threading.Lock()
_open: dict[str, StateStore] = {}
_records: dict[str, RecordStore] = {}
_inherited: list[object] = []
"""Stores of a parent process: to collect them could close the parent's connections."""


def _forget_after_fork() -> None:
    global _opening  # noqa: PLW0603 - another thread may have held it at the fork
    _opening = threading.Lock()
    _inherited.extend([*_open.values(), *_records.values()])
    _open.clear()
    _records.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
