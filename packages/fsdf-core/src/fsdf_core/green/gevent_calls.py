"""Calls in real threads under gevent."""

from __future__ import annotations

from typing import Any

from gevent.threadpool import ThreadPool  # type: ignore[import-untyped]

from fsdf_core.green.calls import MOST, Outcome


class GeventCalls:
    """Threads of a gevent pool of its own: in the hub's, of ten, others wait for name servers."""

    def __init__(self) -> None:
        self._threads = ThreadPool(MOST)

    def __call__(self, function: Any, /, *arguments: Any) -> Any:
        """Return what `function(*arguments)` returns, or raise what it raises."""
        outcome: Outcome = self._threads.apply(Outcome, (function, arguments))
        return outcome.get()
