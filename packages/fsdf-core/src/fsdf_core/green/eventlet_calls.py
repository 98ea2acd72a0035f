"""Calls in real threads under eventlet, whose own pool of twenty threads is soon full of consumers."""

from __future__ import annotations

import contextlib
import itertools
import socket as green_socket
from collections import deque
from typing import Any

import eventlet  # type: ignore[import-untyped]
from eventlet.event import Event  # type: ignore[import-untyped]
from eventlet.patcher import original  # type: ignore[import-untyped]

from fsdf_core.green.calls import MOST, Outcome
from fsdf_core.green.native import threading

_IDLE = 10.0
"""Seconds after which a thread without work ends."""

_queue = original("queue")
_Job = tuple[Any, Any, tuple[Any, ...]]


class EventletCalls:
    """Threads that grow with the calls. One greenlet is told, through a socket, that some have ended."""

    def __init__(self) -> None:
        self._home = threading.get_ident()
        self._jobs: Any = _queue.SimpleQueue()
        self._pending = 0
        self._threads = 0
        self._lock = threading.Lock()
        self._names = itertools.count(1)
        self._done: deque[tuple[Any, Outcome]] = deque()
        self._ear, mouth = green_socket.socketpair()
        self._mouth = original("socket").socket(fileno=mouth.detach())
        self._mouth.settimeout(0)
        eventlet.spawn_n(self._listen)

    def __call__(self, function: Any, /, *arguments: Any) -> Any:
        """Return what `function(*arguments)` returns, or raise what it raises."""
        if threading.get_ident() != self._home:
            return function(*arguments)
        answer = Event()
        self._jobs.put((answer, function, arguments))
        with self._lock:
            self._pending += 1
            more = self._pending > self._threads and self._threads < MOST
            if more:
                self._threads += 1
        if more:
            threading.Thread(target=self._work, name=f"fsdf-native-{next(self._names)}", daemon=True).start()
        outcome: Outcome = answer.wait()
        return outcome.get()

    def _work(self) -> None:
        while True:
            try:
                answer, function, arguments = self._jobs.get(timeout=_IDLE)
            except _queue.Empty:
                with self._lock:
                    if self._pending < self._threads:
                        self._threads -= 1
                        return
                continue
            outcome = Outcome(function, arguments)
            del function, arguments
            with self._lock:
                self._pending -= 1
            self._done.append((answer, outcome))
            del answer, outcome
            with contextlib.suppress(BlockingIOError):  # it has much to read, and will look
                self._mouth.send(b"!")

    def _listen(self) -> None:
        while True:
            self._ear.recv(4096)
            while self._done:
                answer, outcome = self._done.popleft()
                answer.send(outcome)
