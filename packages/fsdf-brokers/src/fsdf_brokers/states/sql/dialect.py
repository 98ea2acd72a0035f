"""What the SQL state store asks of a database: a few statements on an open cursor of its driver.

Names are bytes, so that all databases compare them exactly. An expiry is a point in time by the database's clock,
in seconds since the epoch; what lives for ever expires in 30 000 years, so that no statement needs to ask for NULL.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

FOR_EVER = 1e12
"""Seconds that a value without TTL lives."""
LEASES_KEPT = 86_400.0
"""Seconds after its expiry that a lease's row, and with it its token, is remembered."""
CHANNELS_KEPT = 3_600.0
"""Seconds after the last notification that a channel's row is kept."""

Rows = list[tuple[bytes, bytes]]
"""Names with values, sorted by name: all writers lock rows in one order."""


class Dialect(ABC):
    """The statements of one database.

    A lease's token and a channel's version start at the time in microseconds and grow by at least one, so that they
    keep growing when their row was swept in between.

    Attributes:
        begin: statement that begins a transaction for a write; None where each write is one statement.
        pauses: first and longest seconds between two looks at a channel.
        pings: connections that were idle are tested before use.
    """

    begin: ClassVar[str | None]
    pauses: ClassVar[tuple[float, float]] = (0.02, 0.2)
    pings: ClassVar[bool] = True

    @abstractmethod
    def connect_arguments(self, options: frozenset[str]) -> dict[str, Any]:
        """Return arguments for the driver's connect(); `options` are those that the URL sets itself."""

    def prepare(self, connection: Any) -> None:  # noqa: B027 - optional
        """Set up a new connection."""

    @abstractmethod
    def create(self, cursor: Any) -> None:
        """Create the tables that are missing; others may do so at the same time."""

    @abstractmethod
    def repeatable(self, error: BaseException) -> bool:
        """Whether the database undid the transaction to end a deadlock, so that it can be run again."""

    @abstractmethod
    def undefined(self, error: BaseException) -> bool:
        """Whether a table is gone: the database was made anew while we were connected."""

    @abstractmethod
    def lost(self, error: BaseException) -> bool:
        """Whether the connection broke or the database cannot answer now."""

    def refused(self, error: BaseException) -> bool:  # noqa: ARG002 - a file asks for no password
        """Whether the server answered that it does not let us in."""
        return False

    def ping(self, connection: Any) -> None:  # noqa: B027 - a file is always there
        """Raise an error if the connection is broken."""

    @abstractmethod
    def get(self, cursor: Any, names: list[bytes]) -> dict[bytes, bytes]:
        """Return the values that live."""

    @abstractmethod
    def set(self, cursor: Any, rows: Rows, lifetime: float) -> None:
        """Write all."""

    @abstractmethod
    def add(self, cursor: Any, rows: Rows, lifetime: float) -> list[bytes]:
        """Write those that are absent; return their names."""

    @abstractmethod
    def replace(self, cursor: Any, name: bytes, old: bytes, new: bytes, lifetime: float) -> bool:
        """Compare and set."""

    @abstractmethod
    def touch(self, cursor: Any, rows: Rows, lifetime: float) -> list[bytes]:
        """Renew those whose value is still this; return their names."""

    @abstractmethod
    def delete(self, cursor: Any, names: list[bytes]) -> int:
        """Delete values and hashes; count the names that had either."""

    @abstractmethod
    def increment(self, cursor: Any, name: bytes, by: int, lifetime: float) -> int:
        """Add to a counter."""

    @abstractmethod
    def hash_set(self, cursor: Any, name: bytes, fields: Rows) -> None:
        """Write fields."""

    @abstractmethod
    def hash_get(self, cursor: Any, name: bytes) -> dict[bytes, bytes]:
        """Return all fields."""

    @abstractmethod
    def hash_delete(self, cursor: Any, name: bytes, fields: list[bytes]) -> int:
        """Delete fields; count those that were there."""

    @abstractmethod
    def acquire(self, cursor: Any, name: bytes, owner: bytes, ttl: float) -> int | None:
        """Take or renew a lease; return its token."""

    @abstractmethod
    def release(self, cursor: Any, name: bytes, owner: bytes) -> bool:
        """End a lease that is the owner's."""

    @abstractmethod
    def notify(self, cursor: Any, channels: Sequence[bytes]) -> None:
        """Tell other processes."""

    @abstractmethod
    def version(self, cursor: Any, channel: bytes) -> int | None:
        """Return what differs after each notification; None if there was none of late."""

    @abstractmethod
    def sweep(self, cursor: Any, limit: int) -> None:
        """Delete up to `limit` expired values, and forgotten leases and channels."""


def marks(count: int, row: str = "%s") -> str:
    """Return `count` placeholders."""
    return ",".join((row,) * count)


def chunks(rows: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Cut into pieces of at most `size`."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
