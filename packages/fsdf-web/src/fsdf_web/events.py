"""Tells browsers that something has changed, so that they fetch the page's live part anew."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import anyio
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.errors import FsdfError
from fsdf_core.records import RecordQuery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fsdf_core.clock import Clock
    from fsdf_web.hub import Hub

router = APIRouter()
_EVERY = 1.0
_LIFE = 600
"""Turns after which a browser has to connect anew, with a session that is still good."""
_MOST = 200


class ChangeWatch:
    """Looks at most once a second, for all browsers together, whether something is other than before.

    Args:
        hub: where to look.
        clock: the time.

    Attributes:
        streams: how many browsers listen.
        closing: streams end within a second; they would hold the server's end up.
    """

    def __init__(self, hub: Hub, clock: Clock = SYSTEM_CLOCK) -> None:
        self._hub = hub
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._seen = ""
        self.streams = 0
        self.closing = False

    def state(self) -> str:
        """Return a text that differs after a change."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._looked >= _EVERY * 0.9:
                self._seen = self._look()
                self._looked = self._clock.monotonic()
            return self._seen

    def _look(self) -> str:
        facts: list[object] = []
        try:
            store = self._hub.state()
            facts += [
                (each.consumer_id, each.running, each.succeeded, each.failed, each.concurrency, each.qps)
                for each in self._hub.roster().workers()
            ]
            names = list(self._hub.queues.all())
            facts += [
                self._hub.depths.of(names),
                store.get([f"fsdf:pause:{name}" for name in names]) if names else (),
                store.get(["fsdf:web:audit:count", self._hub.schedules().changed]),
                [(each.task_id, each.status) for each in self._hub.records().find(RecordQuery(limit=1)).records],
            ]
        except FsdfError as error:
            facts.append(type(error).__name__)
        return hashlib.sha256(repr(facts).encode()).hexdigest()


@router.get("/events")
async def stream_changes(request: Request) -> Response:
    """Send an event `changed` whenever something has; a server that cannot stream sends the browser to polling."""
    watch: ChangeWatch = request.app.state.changes
    if "wsgi_environ" in request.scope or watch.streams >= _MOST:
        return Response(status_code=204)
    return StreamingResponse(_changes(watch), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _changes(watch: ChangeWatch) -> AsyncIterator[str]:
    watch.streams += 1
    try:
        yield "retry: 2000\n\n"
        known = await run_in_threadpool(watch.state)
        for _ in range(_LIFE):
            await anyio.sleep(_EVERY)
            if watch.closing:
                return
            state = await run_in_threadpool(watch.state)
            yield "event: changed\ndata: 1\n\n" if state != known else ": nothing\n\n"
            known = state
    finally:
        watch.streams -= 1
