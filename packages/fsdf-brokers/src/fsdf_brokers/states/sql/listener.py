"""One connection that LISTENs for all waits of a store on PostgreSQL."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fsdf_brokers.states.sql.postgresql import NOTIFY_CHANNEL
from fsdf_core.backoff import Backoff
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_brokers.states.sql.waiters import Waiters

_TEST_EVERY = 30.0
"""Seconds of silence after which the connection is tested."""
_END_TIMEOUT = 10.0


class Listener:
    """A thread from construction to `close`; it connects again for as long as it lives.

    Args:
        connect: opens a connection.
        waiters: whom to wake.

    Attributes:
        ready: set while the server sends its notifications here.
    """

    def __init__(self, connect: Callable[[], Any], waiters: Waiters) -> None:
        self.ready = threading.Event()
        self._connect = connect
        self._waiters = waiters
        self._ended = threading.Event()
        self._bell, self._ring = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="fsdf-state-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._ring.send(b"!")
        self._thread.join(_END_TIMEOUT)
        if not self._thread.is_alive():
            self._ring.close()
            self._bell.close()

    def _run(self) -> None:
        backoff = Backoff(0.05, 2.0)
        while not self._ended.is_set():
            # Any error: whoever waits must be told, and operations report the cause.
            with suppress(Exception):
                connection = self._connect()
                try:
                    connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
                    backoff.reset()
                    self.ready.set()
                    self._waiters.watches.wake_all()
                    self._listen(connection)
                finally:
                    self.ready.clear()
                    connection.close()
            if not self._ended.is_set():
                self._waiters.wake_all()
                self._ended.wait(backoff.next())

    def _listen(self, connection: Any) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while not self._ended.is_set():
                if not selector.select(_TEST_EVERY):
                    connection.execute("SELECT 1")
                for notification in connection.notifies(timeout=0):
                    self._waiters.wake(bytes.fromhex(notification.payload))
