"""How a stream keeps its messages on the server."""

from __future__ import annotations

import functools

from fsdf_brokers.redis.layout import Layout
from fsdf_brokers.redis.scripts import Script


class StreamLayout(Layout):
    """The scripts of a stream that one consumer group reads.

    Args:
        group: the group's name.
    """

    def __init__(self, group: str) -> None:
        prelude = ("message", "stream", "delay")

        def script(name: str, *more: str) -> Script:
            return Script(name, (*prelude, *more), GROUP=group)

        self.group = group
        self.wait = lambda *_: ()  # the subscription's own: its timeout is not the last word
        self.push = None
        self.look = 0.2
        self.leased = True
        self.delete = script("stream_ack")
        self.found = script("stream_found")
        self.leave = script("leave")
        self.pending = script("stream_pending")
        self.purge = script("stream_purge")
        self.reclaim = script("reclaim")
        self.release = script("stream_release", "stream_withdraw")
        self.requeue = script("stream_requeue", "stream_withdraw")
        self.send = script("send")
        self.size = script("stream_size")
        self.take = script("stream_take")
        self.tidy = script("stream_tidy")


stream_layout = functools.cache(StreamLayout)
