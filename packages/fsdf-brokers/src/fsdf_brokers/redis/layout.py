"""How a kind keeps its messages on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_brokers.redis.scripts import Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_brokers.redis.keys import Keys

    Wait = Callable[[Keys, str], tuple[str, ...]]


class Layout:
    """The scripts of one layout, and the command in which an idle consumer waits; `delete` is None where HDEL does it.

    Args:
        kind: files that say where ready and delayed messages are.
        wait: from the queue's keys and the consumer's inbox, a blocking command without its timeout. It may
            move a message to the inbox; otherwise it must leave messages alone.
        push: the command that appends to the plain key, where that alone wakes consumers.
        look: seconds after which a waiting consumer looks for what does not wake it.
        send: file of the script that accepts messages.
        timed: claims end after ACK_TIMEOUT, not with a lease.
        constants: numbers that the scripts know by name.
    """

    def __init__(
        self,
        *kind: str,
        wait: Wait,
        push: str | None = None,
        look: float = 0.2,
        send: str = "send",
        timed: bool = False,
        **constants: int,
    ) -> None:
        prelude = ("message", *kind, "held", "claim", *(["timed"] if timed else []))

        def script(name: str) -> Script:
            return Script(name, prelude, **constants)

        self.wait = wait
        self.push = push
        self.look = look
        self.leased = not timed
        self.delete = script("ack_timed") if timed else None
        self.due = script("due")
        self.leave = script("leave")
        self.purge = script("purge")
        self.reclaim = script("reclaim")
        self.release = script("release")
        self.requeue = script("requeue")
        self.send = script(send)
        self.size = script("size")
        self.take = script("take_timed" if timed else "take")


LIST = Layout("list", "delay", wait=lambda keys, inbox: ("BLMOVE", keys.ready, inbox, "LEFT", "RIGHT"), push="RPUSH")
"""The queue's key is a list, the next message at its left end."""

REVERSED_LIST = Layout(
    "reversed_list", "delay", wait=lambda keys, inbox: ("BLMOVE", keys.ready, inbox, "RIGHT", "RIGHT"), push="LPUSH"
)
"""The queue's key is a list, the next message at its right end."""
