"""PyMongo's exceptions in fsdf's words, without credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidURI,
    OperationFailure,
    WriteConcernError,
)
from pymongo.errors import (
    ConfigurationError as WrongConfiguration,
)

from fsdf_core.errors import (
    BrokerError,
    BrokerUnavailable,
    ConfigurationError,
    StateError,
    StateUnavailable,
    StorageError,
)

if TYPE_CHECKING:
    from pymongo.errors import PyMongoError

    from fsdf_core.errors import FsdfError

RETRYABLE = (ConnectionFailure,)

# Numbers of https://www.mongodb.com/docs/manual/reference/error-codes/
_REFUSALS = frozenset({13, 18, 8000})
"""Unauthorized, AuthenticationFailed, AtlasError."""
_FULL = frozenset({14031})
"""OutOfDiskSpace."""
_AWAY = frozenset({6, 7, 50, 64, 89, 91, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436})
"""Hosts, networks, primaries and time limits that come and go, and a shutdown."""
_DUPLICATE = 11000


class Faults(NamedTuple):
    """What to raise.

    Attributes:
        unavailable: trying again may help.
        full: trying again does not help.
        other: the rest.
        setting: where the URL comes from.
    """

    unavailable: type[FsdfError]
    full: type[FsdfError]
    other: type[FsdfError]
    setting: str


BROKER = Faults(BrokerUnavailable, StorageError, BrokerError, "FSDF_MONGO_URL")
STATE = Faults(StateUnavailable, StateError, StateError, "FSDF_STATE_URL")


def translated(error: PyMongoError, shown: str, password: str, faults: Faults) -> FsdfError:
    """Return fsdf's error for one of PyMongo's.

    Args:
        error: PyMongo's.
        shown: the server's address without credentials.
        password: not to be repeated.
        faults: what to return.
    """
    text = _text(error)
    if password:
        text = text.replace(password, "***")
    codes = _codes(error)
    if codes & _REFUSALS or isinstance(error, (InvalidURI, WrongConfiguration)):
        return ConfigurationError(
            f"MongoDB at {shown} refuses: {text}. Check user, password, authSource and rights: {faults.setting}"
        )
    if isinstance(error, (ConnectionFailure, WriteConcernError)) or codes & _AWAY:
        return faults.unavailable(
            f"MongoDB at {shown} is not available: {text}. Does it run, is {faults.setting} right?"
        )
    if codes & _FULL:
        return faults.full(f"MongoDB at {shown} is full: {text}")
    if isinstance(error, DocumentTooLarge):
        return faults.other("a document of MongoDB holds at most 16 MB: send the place of the data instead of the data")
    return faults.other(f"MongoDB at {shown}: {text}")


def duplicates(error: BulkWriteError) -> list[int] | None:
    """Return which documents of an insert were there already; None if it failed for another reason."""
    details = error.details or {}
    faults = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or any(fault["code"] != _DUPLICATE for fault in faults):
        return None
    return [fault["index"] for fault in faults]


def _codes(error: PyMongoError) -> set[int]:
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        return {
            fault.get("code", 0) for name in ("writeErrors", "writeConcernErrors") for fault in details.get(name, [])
        }
    if isinstance(error, OperationFailure):
        return {error.code or 0}
    return set()


def _text(error: PyMongoError) -> str:
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        found = [
            fault.get("errmsg", "") for name in ("writeErrors", "writeConcernErrors") for fault in details.get(name, [])
        ]
        return "; ".join(dict.fromkeys(found)) or "the write failed"
    # What follows is a dump of the client's settings and its view of the servers.
    text = str(error).partition(", full error:")[0].partition(" (configured timeouts:")[0].partition(", Timeout:")[0]
    return " ".join(text.split()).rstrip(".")
