"""Names of the keys of one queue on Redis.

`<queue>` itself is a plain list of wire bodies that anybody may RPUSH to. All other keys carry the queue's
name as a hash tag, so that the keys of one queue share a slot.
"""

from __future__ import annotations


class Keys:
    """The keys of one queue.

    Attributes:
        ready: list of bodies, the next one first.
        returned: list of messages that were claimed before and come back, delivered before `ready`.
        delayed: sorted set of messages by due time in server milliseconds.
        consumers: hash of consumer id to "<incarnation><evidence>", those who may claim now.
        beats: sorted set of consumer id to the server milliseconds of its last heartbeat.
        sweeper: the consumer that looks for dead ones, for a moment.
        sequence: counter that orders delayed messages of the same due time.
        prefix: start of the keys of one consumer: `<prefix>inbox:<id>`, a list with what BLMOVE woke it with,
            and `<prefix>unacked:<id>`, a hash of token to message.
    """

    def __init__(self, queue: str) -> None:
        self.ready = queue
        self.prefix = f"{{{queue}}}:fsdf:"
        self.returned = f"{self.prefix}returned"
        self.delayed = f"{self.prefix}delayed"
        self.consumers = f"{self.prefix}consumers"
        self.beats = f"{self.prefix}beats"
        self.sweeper = f"{self.prefix}sweeper"
        self.sequence = f"{self.prefix}sequence"

    def inbox(self, consumer: str) -> str:
        """Return the consumer's list of messages on their way to it."""
        return f"{self.prefix}inbox:{consumer}"

    def unacked(self, consumer: str) -> str:
        """Return the consumer's hash of claimed messages."""
        return f"{self.prefix}unacked:{consumer}"
