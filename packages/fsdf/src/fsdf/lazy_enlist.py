"""Workers that can be seen and commanded, at no cost where nobody can look."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from fsdf import __version__
from fsdf.description import function_title, known_queue, without_secrets
from fsdf.supervision.memory import resident_bytes
from fsdf_control.enlist import Enlist
from fsdf_control.rate_limit import RateLimit
from fsdf_core import registry
from fsdf_core.control import UNLIMITED, Control
from fsdf_core.roster import Worker
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf.params import BoosterParams
    from fsdf_control import Statistics
    from fsdf_core.host import Host
    from fsdf_core.state import StateStore


class LazyEnlist(Control):
    """An `Enlist` that begins when there is a state store: before that nobody can look.

    Args:
        params: the task's parameters.
        broker_kind: the broker's name.
        statistics: the consumer's counts.
        controls: the consumer's other controls, among which its rate limit may be.

    Attributes:
        stop_consumer: stops the consumer in order; to be set before it starts.
    """

    def __init__(
        self, params: BoosterParams, broker_kind: str, statistics: Statistics, controls: Sequence[Control]
    ) -> None:
        self.stop_consumer: Callable[[], object] | None = None
        self._params = params
        self._broker_kind = broker_kind
        self._statistics = statistics
        self._limit = next((control for control in controls if isinstance(control, RateLimit)), None)
        self._host: Host | None = None
        self._enlist: Enlist | None = None

    def start(self, host: Host) -> None:
        """Begin, if there is a store."""
        self._host = host
        self._begin()

    def stop(self) -> None:
        """End."""
        if self._enlist is not None:
            self._enlist.stop()
        self._enlist = self._host = None

    def tick(self, now: float) -> None:
        """Look whether there is a store; tell and listen."""
        if self._enlist is None:
            self._begin()
        if self._enlist is not None:
            self._enlist.tick(now)

    def credit(self, now: float) -> float:
        """What an ordered rate allows."""
        return UNLIMITED if self._enlist is None else self._enlist.credit(now)

    def next_credit(self, now: float) -> float:
        """Seconds until then."""
        return 1.0 if self._enlist is None else self._enlist.next_credit(now)

    def spend(self, count: int, now: float) -> None:
        """Count starts against an ordered rate."""
        if self._enlist is not None:
            self._enlist.spend(count, now)

    def _begin(self) -> None:
        host = self._host
        store = _store(asked=self._params.is_send_consumer_heartbeat_to_redis)
        if store is None or host is None:
            return
        enlist = Enlist(
            store,
            self._worker(),
            known_queue(self._params, self._broker_kind),
            statistics=self._statistics,
            limit=self._limit,
            stop=self.stop_consumer,
            resize=self._params.specify_concurrent_pool is None,
            memory=resident_bytes,
        )
        enlist.start(host)
        self._enlist = enlist

    def _worker(self) -> Worker:
        params = self._params
        return Worker(
            consumer_id="",
            queue=params.queue_name,
            broker_kind=self._broker_kind,
            broker_options=without_secrets(params.broker_exclusive_config),
            function=function_title(params),
            version=f"fsdf {__version__}, Python {platform.python_version()}",
            mode=str(params.concurrent_mode),
            group=params.booster_group or "",
        )


def _store(*, asked: bool) -> StateStore | None:
    """Return the store that everybody looks into, if it exists or is asked for."""
    settings = get_settings()
    if asked or settings.state_url is not None or registry.default_state_file(settings).exists():
        return registry.open_state(settings)
    return None
