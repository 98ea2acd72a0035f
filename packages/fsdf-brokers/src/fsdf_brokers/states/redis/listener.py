"""One connection that SUBSCRIBEs for all waits of a store."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fsdf_core.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_brokers.states.redis.channels import Channels

_TEST_EVERY = 15.0
"""Seconds of silence after which the connection is tested, and then until it counts as lost."""
_END_TIMEOUT = 10.0


class Listener:
    """A thread from construction to `close`; it connects again for as long as it lives.

    Args:
        connect: opens a client of one connection.
        channels: what to listen to, and whom to wake.
    """

    def __init__(self, connect: Callable[[], Any], channels: Channels) -> None:
        self._connect = connect
        self._channels = channels
        self._ended = threading.Event()
        self._bell, self._rope = socket.socketpair()
        self._bell.settimeout(0)
        self._rope.settimeout(0)
        self._thread = threading.Thread(target=self._run, name="fsdf-state-listener", daemon=True)
        self._thread.start()

    def ring(self) -> None:
        """Let the thread look at the channels."""
        # A full buffer rings too; a closed one needs no more.
        with suppress(OSError):
            self._rope.send(b"!")

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self.ring()
        self._thread.join(_END_TIMEOUT)
        if not self._thread.is_alive():
            self._rope.close()
            self._bell.close()

    def _run(self) -> None:
        backoff = Backoff(0.05, 2.0)
        while not self._ended.is_set():
            # Any error: waits last their time and are unsure, and operations report the cause.
            with suppress(Exception):
                client = self._connect()
                try:
                    self._channels.lose()
                    self._listen(client.connection, backoff)
                finally:
                    self._channels.lose()
                    client.close()
            self._ended.wait(backoff.next())

    def _listen(self, connection: Any, backoff: Backoff) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection._sock, selectors.EVENT_READ)  # noqa: SLF001 - redis-py shows it nowhere else
            selector.register(self._bell, selectors.EVENT_READ)
            heard, asked = time.monotonic(), False
            while not self._ended.is_set():
                new, old = self._channels.take()
                for command, names in (("SUBSCRIBE", new), ("UNSUBSCRIBE", old)):
                    if names:
                        connection.send_command(command, *names, check_health=False)
                selector.select(min(self._channels.linger, _TEST_EVERY))
                with suppress(BlockingIOError):
                    self._bell.recv(4096)
                while connection.can_read(timeout=0):
                    self._hear(connection.read_response())
                    heard, asked = time.monotonic(), False
                    backoff.reset()
                silence = time.monotonic() - heard
                if silence > 2 * _TEST_EVERY:
                    return
                if silence > _TEST_EVERY * 0.9 and not asked:
                    connection.send_command("PING", check_health=False)
                    asked = True

    def _hear(self, answer: Any) -> None:
        match answer:
            case [b"message", name, _]:
                self._channels.wake(name)
            case [b"subscribe", name, _]:
                self._channels.confirm(name)
