"""What one consumer holds of a queue: taking messages, and the ways to let go of them."""

# ruff: noqa: S608 - tables are named by numbers of our own

from __future__ import annotations

import json
import sqlite3
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from fsdf_brokers.sqlite.place import SPAN, end_of_rank
from fsdf_core.broker import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.sqlite.lease import Lease
    from fsdf_brokers.sqlite.queue import SQLiteQueue

_AT_ONCE = 4000
"""Most messages of one claim: a longer one keeps the file locked, and the workers waiting."""
_BYTES_AT_ONCE = 8_000_000
"""About how many bytes one claim may read."""


class Claims:
    """Claims and settles under a lease. A delivery's token is its number in the order of this consumer's claims.

    Neighbouring numbers are neighbours in the queue: a number is left out between two claims.

    Args:
        queue: where messages come from.
        lease: who holds them.
    """

    def __init__(self, queue: SQLiteQueue, lease: Lease) -> None:
        self._database = queue.broker.database
        self._lease = lease
        self._number = number = queue.number
        self._next_token = 0
        self._message = message = f"message_{number}"
        self._claim = claim = f"claim_{number}"
        # The first message behind each claim is ready, unless another claim covers it.
        head = f"""SELECT id FROM (SELECT (SELECT id FROM {message} WHERE id > low ORDER BY id LIMIT 1) AS id
            FROM (SELECT -1 AS low UNION ALL SELECT last FROM {claim})) WHERE id IS NOT NULL AND ifnull(
            (SELECT first FROM {claim} WHERE last >= id ORDER BY last LIMIT 1) > id, TRUE) ORDER BY id LIMIT 1"""
        due = f"SELECT min(due) FROM delayed WHERE queue={number}"
        self._due = f"SELECT ({head}), ({due})"
        self._head = f"""WITH head(id) AS MATERIALIZED ({head}) SELECT id,
            ifnull((SELECT first FROM {claim} WHERE last > head.id ORDER BY last LIMIT 1), -1),
            ({due}), EXISTS(SELECT 1 FROM consumer WHERE id=? AND name=?) FROM (SELECT 1) LEFT JOIN head"""
        # One row for all messages: sqlite3 lets go of the interpreter's lock, and waits for it, at every row.
        some = f"FROM {message} WHERE id>=?1 AND id<?2 ORDER BY id LIMIT"
        self._read = f"""SELECT group_concat(id), group_concat(length(body)), group_concat(deliveries),
            CAST(group_concat(CAST(body AS TEXT), '') AS BLOB) FROM (SELECT id, deliveries, body {some}
            (SELECT max(1, min(?3, ?3 * {_BYTES_AT_ONCE} / (1 + ifnull(sum(size), 0))))
            FROM (SELECT length(body) AS size {some} ?3)))"""
        held = "AND EXISTS(SELECT 1 FROM consumer WHERE id=?)"
        self._delete_run = f"DELETE FROM {message} WHERE id BETWEEN ? AND ? {held}"
        self._delete_some = f"DELETE FROM {message} WHERE id IN (SELECT value FROM json_each(?)) {held}"

    def due(self) -> tuple[bool, float | None]:
        """Return whether anything is ready, and when the next delayed message is due."""
        ((head, due),) = self._database.read(self._due)
        return head is not None, due

    def take(self, limit: int) -> list[Delivery]:
        """Claim the first messages, as many as are ready or `limit`, or fewer where they are big."""
        taken: list[Delivery] = []
        size = 0
        limit = min(limit, _AT_ONCE)
        with self._database.transaction() as connection:
            while len(taken) < limit and size < _BYTES_AT_ONCE // 2:
                lease = (self._lease.held.consumer, self._lease.name)
                first, stop, due, enrolled = connection.execute(self._head, lease).fetchone()
                if not enrolled:
                    self._lease.enrol(connection)
                if due is not None and due <= time.time():
                    self._promote(connection)
                elif first is None:
                    break
                else:
                    end = (first // SPAN + 1) * SPAN
                    end = end if stop < 0 else min(stop, end)
                    size += self._take(connection, first, end, limit - len(taken), taken)
        return taken

    def _take(self, connection: sqlite3.Connection, first: int, stop: int, limit: int, taken: list[Delivery]) -> int:
        """Claim messages of one rank, none of them claimed, between two places; return how many bytes they have."""
        try:
            row = connection.execute(self._read, (first, stop, limit)).fetchone()
        except sqlite3.DataError:
            row = connection.execute(self._read, (first, stop, 1)).fetchone()
        places = [int(place) for place in row[0].split(",")]
        held = self._lease.held
        connection.execute(
            f"DELETE FROM {self._claim} WHERE consumer=?"
            f" AND NOT EXISTS(SELECT 1 FROM {self._message} WHERE id BETWEEN first AND last)",
            (held.consumer,),
        )
        connection.execute(f"INSERT INTO {self._claim} VALUES(?,?,?)", (places[-1], places[0], held.consumer))
        begin = self._next_token
        self._next_token = begin + len(places) + 1
        held.places.update(enumerate(places, begin))
        bodies = row[3]
        at = 0
        for token, (size, count) in enumerate(zip(row[1].split(","), row[2].split(","), strict=True), begin):
            end = at + int(size)
            taken.append(Delivery(bodies[at:end], token, int(count) + 1))
            at = end
        return at

    def _promote(self, connection: sqlite3.Connection) -> None:
        """Put what is due at the end of the queue."""
        due = "FROM delayed WHERE queue=? AND due<=?"
        arguments = (self._number, time.time())
        for (rank,) in connection.execute(f"SELECT DISTINCT rank {due}", arguments).fetchall():
            connection.execute(
                f"INSERT INTO {self._message} SELECT ? + row_number() OVER (ORDER BY due, id), 0, body"
                f" {due} AND rank=?",
                (end_of_rank(connection, self._number, rank), *arguments, rank),
            )
        connection.execute(f"DELETE {due}", arguments)

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Delete what is still held of the deliveries."""
        held = self._lease.held
        tokens = held.tokens(deliveries)
        if not tokens:
            return
        runs = _runs(tokens)
        if len(runs) == 1:
            first, last = runs[0]
            self._database.execute(self._delete_run, (held.places[first], held.places[last], held.consumer))
        else:
            self._database.execute(self._delete_some, (held.text(tokens), held.consumer))
        held.forget(tokens)

    def put_back(self, deliveries: Sequence[Delivery], delay: float) -> None:
        """Move messages to the end of the queue, or to `delayed`; their deliveries count anew."""
        held = self._lease.held
        tokens = held.tokens(deliveries)
        with self._database.transaction() as connection:
            if tokens and held.is_valid(connection):
                arguments = (held.text(tokens),)
                chosen = f"FROM {self._message} WHERE id IN (SELECT value FROM json_each(?))"
                if delay > 0:
                    connection.execute(
                        f"INSERT INTO delayed(queue, due, rank, body)"
                        f" SELECT ?, ?, id / {SPAN}, body {chosen} ORDER BY id",
                        (self._number, time.time() + delay, *arguments),
                    )
                else:
                    self._append_again(connection, [held.places[token] for token in tokens])
                connection.execute(f"DELETE {chosen}", arguments)
        held.forget(tokens)
        self._database.announce()

    def _append_again(self, connection: sqlite3.Connection, places: list[int]) -> None:
        ranks: defaultdict[int, list[int]] = defaultdict(list)
        for place in places:
            ranks[place // SPAN].append(place)
        for rank, group in ranks.items():
            connection.execute(
                f"INSERT INTO {self._message} SELECT ? + row_number() OVER (ORDER BY id), 0, body"
                f" FROM {self._message} WHERE id IN (SELECT value FROM json_each(?))",
                (end_of_rank(connection, self._number, rank), json.dumps(group)),
            )

    def undo(self, deliveries: Sequence[Delivery]) -> None:
        """Cut messages out of their claims: they are ready in their places, uncounted."""
        held = self._lease.held
        tokens = held.tokens(deliveries)
        with self._database.transaction() as connection:
            if tokens and held.is_valid(connection):
                for run in _runs(tokens):
                    first, last = (held.places[token] for token in run)
                    covering = f"{self._claim} WHERE first<=? AND last>=?"
                    connection.execute(
                        f"INSERT INTO {self._claim} SELECT ? - 1, first, consumer FROM {covering} AND first<?",
                        (first, first, last, first),
                    )
                    connection.execute(
                        f"UPDATE {self._claim} SET first=? + 1 WHERE first<=? AND last>=?", (last, first, last)
                    )
                connection.execute(f"DELETE FROM {self._claim} WHERE first>last")
        held.forget(tokens)
        self._database.announce()


def _runs(tokens: list[int]) -> list[tuple[int, int]]:
    """Join neighbours of an ascending list; quick tasks end nearly in the order they were claimed."""
    runs = []
    first = last = tokens[0]
    for token in tokens[1:]:
        if token != last + 1:
            runs.append((first, last))
            first = token
        last = token
    runs.append((first, last))
    return runs
