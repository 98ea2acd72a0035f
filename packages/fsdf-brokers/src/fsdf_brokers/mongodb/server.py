"""A MongoDB deployment as the adapters see it: one client a process, and its errors in fsdf's words."""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from fsdf_brokers.mongodb.clock import ServerClock
from fsdf_brokers.mongodb.faults import translated
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pymongo import IndexModel
    from pymongo.collection import Collection
    from pymongo.database import Database

    from fsdf_brokers.mongodb.faults import Faults

Document = dict[str, Any]

_SCHEMES = ("mongodb", "mongodb+srv")
_DATABASE = "fsdf"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DEFAULTS: Document = {
    "appName": "fsdf",
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 60_000,
    "waitQueueTimeoutMS": 60_000,
}
"""Options that the URL does not name; PyMongo would wait half a minute for a server, and for ever for an answer."""


class Server:
    """A client that connects when it is used. A forked child gets its own.

    Args:
        url: mongodb://user:password@host:27017/database or mongodb+srv://…; the database's default is "fsdf".
        faults: what to raise.

    Raises:
        ConfigurationError: it is no such URL; does not repeat it.
    """

    def __init__(self, url: str, faults: Faults) -> None:
        scheme, separator, rest = url.partition("://")
        if scheme not in _SCHEMES or not separator or not rest.strip("/"):
            raise ConfigurationError(
                f"{faults.setting} is no URL of MongoDB: use mongodb://user:password@host:27017/database"
            )
        place = rest.partition("?")[0]
        credentials, _, hosts = place.rpartition("@")
        user, _, password = credentials.partition(":")
        self.shown = f"{scheme}://{f'{user}:***@' if credentials else ''}{hosts}"
        self._password = unquote(password)
        self._url = url
        self._faults = faults
        self._closing: weakref.finalize[Any, Any] | None = None
        self._reset()
        _servers.add(self)

    def _reset(self) -> None:
        self._opening = threading.Lock()
        self._client: MongoClient[Document] | None = None
        self.clock = ServerClock(self._time)
        if self._closing is not None:
            self._closing.detach()

    def collection(self, name: str, *, journal: bool = False) -> Collection[Document]:
        """Return a collection, read from the primary.

        Args:
            name: its name.
            journal: writes return when they are on the disk, too.
        """
        database = self._database()
        concern = database.write_concern
        if journal:
            concern = WriteConcern(**{**concern.document, "j": True})
        return database.get_collection(name, read_preference=ReadPreference.PRIMARY, write_concern=concern)

    def prepare(self, collection: Collection[Document], indexes: Sequence[IndexModel]) -> None:
        """Create the indexes that are missing, and the collection if it is; PyMongo's errors are the caller's."""
        there = {index["name"] for index in collection.list_indexes()}
        if missing := [index for index in indexes if index.document["name"] not in there]:
            collection.create_indexes(missing)

    def close(self) -> None:
        """Disconnect; a later use connects again."""
        with self._opening:
            self._client = None
            if self._closing is not None:
                self._closing()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise fsdf's errors for those of the client library.

        Raises:
            FsdfError: as `faults` says.
        """
        try:
            yield
        except PyMongoError as error:
            raise translated(error, self.shown, self._password, self._faults) from error

    def _database(self) -> Database[Document]:
        with self._opening:
            if self._client is None:
                given = {option.partition("=")[0].lower() for option in self._url.partition("?")[2].split("&")}
                options = {name: value for name, value in _DEFAULTS.items() if name.lower() not in given}
                self._client = self._connect(options)
                self._closing = weakref.finalize(self, self._client.close)
                self._closing.atexit = False
            return self._client.get_default_database(_DATABASE)

    def _connect(self, options: Document) -> MongoClient[Document]:
        with self.translated():
            try:
                client: MongoClient[Document] = MongoClient(self._url, connect=False, **options)
            except (TypeError, ValueError) as error:
                raise ConfigurationError(
                    f"{self._faults.setting} cannot be used, an option or a port is wrong: {self.shown}"
                ) from error
        if not client.write_concern.acknowledged:
            client.close()
            raise ConfigurationError(f"{self._faults.setting} says w=0, with which nothing is known to be accepted")
        return client

    def _time(self) -> float:
        with self.translated():
            answer = self._database().client.admin.command("hello")
        return seconds(answer["localTime"])


def seconds(moment: datetime) -> float:
    """Return seconds since 1970; MongoDB's times are UTC, whether the client says so or not."""
    return moment.replace(tzinfo=timezone.utc).timestamp()


def date(seconds: float) -> datetime:
    """Return the time as MongoDB has it, in milliseconds."""
    return _EPOCH + timedelta(milliseconds=round(seconds * 1000))


_servers: weakref.WeakSet[Server] = weakref.WeakSet()
_inherited: list[object] = []
"""A parent's clients: to collect them in a child would close the parent's connections."""


def _forget_after_fork() -> None:
    for server in list(_servers):
        _inherited.append(server._client)  # noqa: SLF001 - this module's own class
        server._reset()  # noqa: SLF001 - as above


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
