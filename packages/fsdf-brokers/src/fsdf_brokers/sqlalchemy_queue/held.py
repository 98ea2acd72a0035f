"""What a consumer holds, as it knows it itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_core.broker import Delivery


class Held:
    """The unsettled deliveries of one enrolment; a consumer that lost its lease enrols anew and holds nothing.

    A token settles once, so an ack that comes twice does not meet the message's next delivery.

    Args:
        number: the consumer's number, which its rows in the table of messages bear.
    """

    __slots__ = ("_rows", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._rows: dict[int, int] = {}

    def add(self, tokens: Iterable[int], rows: Iterable[int]) -> None:
        """Hold these rows under these tokens."""
        self._rows.update(zip(tokens, rows, strict=False))

    def all(self) -> list[int]:
        """Return the rows that are held."""
        return list(self._rows.values())

    def rows(self, deliveries: Sequence[Delivery]) -> list[int]:
        """Return the rows of those deliveries that are held, ascending: all who lock rows do so in one order."""
        rows = self._rows
        return sorted([rows[delivery.token] for delivery in deliveries if delivery.token in rows])

    def forget(self, deliveries: Sequence[Delivery]) -> None:
        """Hold these no more."""
        rows = self._rows
        for delivery in deliveries:
            rows.pop(delivery.token, None)
