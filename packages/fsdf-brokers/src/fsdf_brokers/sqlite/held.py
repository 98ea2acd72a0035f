"""What a consumer holds, as it knows it itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from fsdf_core.broker import Delivery


class Held:
    """The unsettled deliveries of one life of a lease; a lost lease gets a new one, so old tokens mean nothing.

    Attributes:
        consumer: the number in the table `consumer`. While its row is there, its claims are.
        places: token -> the message's place in the queue.
    """

    __slots__ = ("consumer", "places")

    def __init__(self, consumer: int) -> None:
        self.consumer = consumer
        self.places: dict[int, int] = {}

    def is_valid(self, connection: sqlite3.Connection) -> bool:
        """Whether nobody has taken the lease away; true until the end of the connection's transaction."""
        return connection.execute("SELECT 1 FROM consumer WHERE id=?", (self.consumer,)).fetchone() is not None

    def tokens(self, deliveries: Sequence[Delivery]) -> list[int]:
        """Return the tokens of those deliveries that are held, ascending."""
        places = self.places
        return sorted([delivery.token for delivery in deliveries if delivery.token in places])

    def text(self, tokens: Iterable[int]) -> str:
        """Return the places of tokens as a JSON array, which one statement can take."""
        places = self.places
        return json.dumps([places[token] for token in tokens])

    def forget(self, tokens: Iterable[int]) -> None:
        """Hold these no more."""
        places = self.places
        for token in tokens:
            places.pop(token, None)
