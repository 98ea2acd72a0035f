"""How a queue lies in MongoDB: one collection of messages each, and one of all consumers.

A message is {_id, state, rank, seq, count, body} and, by state, `due` (DELAYED) or `owner` and `claim` (CLAIMED).
It is deleted when it is acknowledged, so the collection is as small as the backlog and nothing finished has to
expire; what became of tasks is the business of records.
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from pymongo import ASCENDING, IndexModel

READY, DELAYED, CLAIMED = 0, 1, 2
ORDER = (("rank", ASCENDING), ("seq", ASCENDING), ("_id", ASCENDING))
"""Higher priorities first, then the order sent; a batch that was put back has one `seq`."""

CONSUMERS = "fsdf_consumers"
INDEXES = (
    IndexModel([("state", ASCENDING), *ORDER], name="fsdf_order"),
    IndexModel([("due", ASCENDING)], name="fsdf_due", sparse=True),
    IndexModel([("owner", ASCENDING)], name="fsdf_owner", sparse=True),
)

_PREFIX = "fsdf_queue."
_SAFE = " !#&'()*+,:;<=>?@[]^`{|}"
_LONGEST = 100
"""Bytes; MongoDB has a limit for database and collection together, 120 in old versions and 255 in new ones."""
_HIGHEST_PRIORITY = 255
_LOWEST_RANK = 999
"""All ranks have three digits, for servers that compare them as text."""


def collection_of(queue: str) -> str:
    """Return the name of a queue's collection: the queue's own, where MongoDB allows it and it is short."""
    name = _PREFIX + quote(queue, safe=_SAFE)
    if len(name) > _LONGEST:
        digest = hashlib.sha256(queue.encode()).hexdigest()[:32]
        name = f"{name[: _LONGEST - 33]}~{digest}"
    return name


def rank_of(priority: int) -> int:
    """Return what sorts priorities from high to low."""
    return _LOWEST_RANK - min(max(priority, 0), _HIGHEST_PRIORITY)
