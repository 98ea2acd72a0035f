"""Names of the keys of one queue on Redis.

`<queue>` itself is a plain list of wire bodies that anybody may RPUSH to. All other keys carry the queue's
name as a hash tag, or the tag in it, so that the keys of one queue share a slot.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"^[^{]*\{[^}]+\}")
"""A hash tag by the rules of Redis Cluster: between the first { and the first } after it, and not empty."""


class Keys:
    """The keys of one queue.

    Attributes:
        ready: list of bodies, the next one first; other layouts keep it otherwise.
        tagged: the queue's name has a hash tag of its own.
        returned: list of messages that were claimed before and come back, delivered before `ready`.
        delayed: sorted set of messages by due time in server milliseconds.
        consumers: hash of consumer id to "<incarnation><evidence>", those who may claim now.
        beats: sorted set of consumer id to the server milliseconds of its last heartbeat.
        sweeper: the consumer that looks for dead ones, for a moment.
        sequence: counter that orders delayed messages of the same due time.
        wake: list of which an element wakes a consumer that messages cannot wake.
        deadlines: sorted set of claims that end by themselves, by the moment at which they do.
        common: the keys that every script of a layout gets first.
        prefix: start of the keys of one consumer: `<prefix>inbox:<id>`, a list with what BLMOVE woke it with,
            and `<prefix>unacked:<id>`, a hash of token to message.
    """

    def __init__(self, queue: str) -> None:
        self.ready = queue
        self.tagged = _TAG.search(queue) is not None
        self.prefix = f"{queue}:fsdf:" if self.tagged else f"{{{queue}}}:fsdf:"
        self.returned = f"{self.prefix}returned"
        self.delayed = f"{self.prefix}delayed"
        self.consumers = f"{self.prefix}consumers"
        self.beats = f"{self.prefix}beats"
        self.sweeper = f"{self.prefix}sweeper"
        self.sequence = f"{self.prefix}sequence"
        self.wake = f"{self.prefix}wake"
        self.deadlines = f"{self.prefix}deadlines"
        self.common = (self.ready, self.returned, self.delayed, self.sequence, self.consumers)

    def inbox(self, consumer: str) -> str:
        """Return the consumer's list of messages on their way to it."""
        return f"{self.prefix}inbox:{consumer}"

    def unacked(self, consumer: str) -> str:
        """Return the consumer's hash of claimed messages."""
        return f"{self.prefix}unacked:{consumer}"
