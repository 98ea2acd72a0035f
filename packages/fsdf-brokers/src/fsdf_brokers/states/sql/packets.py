"""Statements of MySQL that its server accepts: of at most `max_allowed_packet` bytes.

It answers a longer one by closing the connection, which looks as if it had gone away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsdf_brokers.states.sql.dialect import Rows

_ESCAPED = (b"\0", b"\n", b"\r", b"\x1a", b'"', b"'", b"\\")
"""What takes two bytes in a statement."""
_A_ROW, _A_STATEMENT = 2000, 2000
"""Bytes, generously: a name and the rest of a row, the rest of a statement."""
_SURELY_SMALL = 4096


class Packets:
    """Cuts rows into statements.

    Args:
        rows: most of them in a statement.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._most: int | None = None

    def cut(self, cursor: Any, rows: Rows) -> Iterator[Rows]:
        """Yield the rows by statements.

        Raises:
            StateError: one row alone is too long.
        """
        most = self._limit(cursor) - _A_STATEMENT
        piece: list[tuple[bytes, bytes]] = []
        size = 0
        for name, value in rows:
            weight = _weight(value, most) + _A_ROW
            if weight > most:
                raise StateError(
                    f"a value of {len(value)} bytes is more than the server's max_allowed_packet ({self._most} bytes) "
                    "allows: raise that, or keep less"
                )
            if piece and (size + weight > most or len(piece) == self._rows):
                yield piece
                piece, size = [], 0
            piece.append((name, value))
            size += weight
        if piece:
            yield piece

    def _limit(self, cursor: Any) -> int:
        if self._most is None:
            cursor.execute("SELECT @@max_allowed_packet")
            self._most = int(cursor.fetchone()[0])
        return self._most


def _weight(value: bytes, most: int) -> int:
    if len(value) <= _SURELY_SMALL:
        return 2 * len(value)
    if len(value) > most:
        return len(value)
    return len(value) + sum(map(value.count, _ESCAPED))
