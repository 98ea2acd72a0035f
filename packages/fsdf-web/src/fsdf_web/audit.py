"""Who changed what, and when: in the log, and in the state store for the page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import orjson
from starlette.concurrency import run_in_threadpool

from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.errors import StateError
from fsdf_web.security.visitor import visitor_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fsdf_core.clock import Clock
    from fsdf_core.state import StateStore

_logger = logging.getLogger("fsdf.web.audit")
_ENTRIES, _COUNTER = "fsdf:web:audit", "fsdf:web:audit:count"
_KEPT = 1000
_DETAILS = "fsdf.audit-details"
_LONGEST = 300


class Audit:
    """Notes every request that may change something, with its outcome; never arguments, bodies or secrets.

    Each is a line at INFO of the logger `fsdf.web.audit`; the latest 1000 are kept in the state store, too.

    Args:
        store: gives the state store.
        clock: the time.
    """

    def __init__(self, store: Callable[[], StateStore], clock: Clock = SYSTEM_CLOCK) -> None:
        self._store = store
        self._clock = clock

    async def watch(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and note what became of it."""
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, sending)
        finally:
            await run_in_threadpool(self.note, scope, status)

    def note(self, scope: Scope, status: int) -> None:
        """Write one entry. A store that is away costs the page's copy, not the log's."""
        visitor = visitor_of(scope)
        entry = {
            "time": self._clock.time(),
            "who": visitor.name,
            "address": visitor.address,
            "action": f"{scope['method']} {scope['path']}"[:_LONGEST],
            "details": str(scope.get(_DETAILS, ""))[:_LONGEST],
            "status": status,
        }
        # As JSON: nobody can forge a line by a name with line breaks.
        _logger.info("%s", orjson.dumps(entry).decode())
        try:
            store = self._store()
            number = store.increment(_COUNTER)
            store.hash_set(_ENTRIES, {str(number % _KEPT): orjson.dumps(entry)})
        except StateError as error:
            _logger.warning("the entry above is only in this log: %s", error)

    def latest(self, limit: int = 200) -> list[dict[str, Any]]:
        """Return the latest entries, newest first.

        Raises:
            StateError: the store cannot be reached.
        """
        entries = [orjson.loads(text) for text in self._store().hash_get(_ENTRIES).values()]
        return sorted(entries, key=lambda entry: -float(entry["time"]))[:limit]


def add_details(scope: Scope, details: str) -> None:
    """Let the audit entry of this request say more, such as which ids it was about."""
    scope[_DETAILS] = details
