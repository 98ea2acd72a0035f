"""Who runs the ticks: one process at a time."""

from __future__ import annotations

import os
import socket
import uuid
from typing import TYPE_CHECKING

from fsdf_core.errors import StateError

if TYPE_CHECKING:
    import logging

    from fsdf_core.clock import Clock
    from fsdf_core.state import StateStore

TTL = 4.0
"""Seconds after which a silent holder has lost the lease."""
RENEW = 1.0
"""Seconds between two renewals."""
RETRY = 0.5
"""Seconds between two attempts of those who wait: a dead holder is replaced within TTL + RETRY."""
_MARGIN = 0.5


class TickLease:
    """The lease `fsdf:schedules:<job store>` of a state store.

    Args:
        store: what the processes share.
        identity: the job store's.
        clock: the time.
        logger: says once when the store fails.

    Attributes:
        token: grows with each change of the holder; 0 before the first.
    """

    def __init__(self, store: StateStore, identity: str, clock: Clock, logger: logging.Logger) -> None:
        self._store = store
        self._name = f"fsdf:schedules:{identity}"
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"[:200]
        self._clock = clock
        self._logger = logger
        self._renewed: float | None = None
        self._trouble = ""
        self._outages: tuple[type[BaseException], ...] = (StateError, *store.retryable_errors)
        self.token = 0

    def held(self) -> bool:
        """Whether the lease is this process's now; asks the store once a second, and when in doubt."""
        now = self._clock.monotonic()
        if self._renewed is not None and now - self._renewed < RENEW:
            return True
        return self._renew(now)

    def sure(self) -> bool:
        """As `held`, right before a tick is published: no other process can have taken the lease since."""
        now = self._clock.monotonic()
        return (self._renewed is not None and now - self._renewed < TTL - _MARGIN) or self._renew(now)

    def release(self) -> None:
        """Let another process run the ticks at once."""
        if self._renewed is None:
            return
        self._renewed = None
        try:
            self._store.release(self._name, self._owner)
        except self._outages as error:
            self._logger.debug("the schedules' lease ends by itself: %s", error)

    def _renew(self, now: float) -> bool:
        held = self._renewed is not None
        try:
            token = self._store.acquire(self._name, self._owner, TTL)
        except self._outages as error:
            self._renewed = None
            description = f"{type(error).__name__}: {error}"
            if description != self._trouble:
                self._trouble = description
                self._logger.warning("schedules wait for the state store: %s", description)
            return False
        if self._trouble:
            self._trouble = ""
            self._logger.info("the state store answers again")
        if token is None:
            if held:
                self._logger.warning("another process runs the schedules now: this one was silent for too long")
            self._renewed = None
            return False
        if not held:
            self._logger.info("this process runs the schedules")
        self._renewed, self.token = now, token
        return True
