"""Metrics for Prometheus: https://prometheus.io/docs/practices/naming/."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fsdf_core.control import Control
from fsdf_core.errors import ConfigurationError, MissingDependency
from fsdf_core.message import ATTEMPTS
from fsdf_core.verdict import DeadLetter, Delay, Drop, Release, Requeue

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server
except ModuleNotFoundError as error:
    raise MissingDependency("metrics need the library 'prometheus_client': pip install fsdf[prometheus]") from error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from wsgiref.simple_server import WSGIServer

    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message

_PORTS = 100
_SIZE_EVERY = 10.0
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class Metrics:
    """The metrics of a registry; there is one of each in it.

    Attributes:
        tasks: `fsdf_tasks_total{queue, status}`: messages that left a consumer; the status is "success", "failure",
            "dead-letter", "dropped" or "requeued".
        seconds: `fsdf_task_duration_seconds{queue}`: histogram of runs, up to 30 minutes.
        retries: `fsdf_task_retries_total{queue}`: runs after the first one of a delivery.
        running: `fsdf_tasks_running{queue}`: calls that run now.
        published: `fsdf_published_total{queue}`: messages that this process was asked to send.
        messages: `fsdf_queue_messages{queue, state}`: what is in the queue, "ready", "delayed" or "unacked", as the
            broker said within the last 10 seconds.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tasks = Counter("fsdf_tasks", "Messages that left a consumer.", ["queue", "status"], registry=registry)
        self.seconds = Histogram(
            "fsdf_task_duration_seconds", "Duration of runs.", ["queue"], buckets=_BUCKETS, registry=registry
        )
        self.retries = Counter("fsdf_task_retries", "Runs after the first.", ["queue"], registry=registry)
        self.running = Gauge("fsdf_tasks_running", "Calls that run now.", ["queue"], registry=registry)
        self.published = Counter("fsdf_published", "Messages to be sent.", ["queue"], registry=registry)
        self.messages = Gauge("fsdf_queue_messages", "Messages in a queue.", ["queue", "state"], registry=registry)


class PrometheusMetrics(Control):
    """Counts and times the messages of the queues that it is a control of, published and consumed.

    Args:
        registry: Prometheus' registry; default: the process's. Each function needs a control of its own.

    Raises:
        MissingDependency: prometheus_client is not installed (when this module is imported).

    Example:
        >>> from prometheus_client import CollectorRegistry, generate_latest
        >>> from fsdf_core.message import Message
        >>> registry = CollectorRegistry()
        >>> PrometheusMetrics(registry).on_publish(Message({}, {}, None, "mails"))
        >>> b'fsdf_published_total{queue="mails"} 1.0' in generate_latest(registry)
        True
    """

    wants_outcomes = False  # those of failures and of repeated runs are there anyway
    _seconds: Histogram
    _running: Gauge

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._metrics = metrics_of(registry)
        self._host: Host | None = None
        self._queue = ""
        self._sized_at = 0.0

    def on_publish(self, message: Message) -> None:
        """Count."""
        self._metrics.published.labels(message.queue_name).inc()

    def start(self, host: Host) -> None:
        """Learn the queue's name."""
        self._host, self._queue, self._sized_at = host, host.queue.name, 0.0
        self._seconds = self._metrics.seconds.labels(self._queue)
        self._running = self._metrics.running.labels(self._queue)

    def around(self, call: Call) -> Call:
        """Time the call."""

        def timed(message: Message) -> Any:
            seconds, running = self._seconds, self._running
            begun = perf_counter()
            running.inc()
            try:
                return call(message)
            finally:
                running.dec()
                seconds.observe(perf_counter() - begun)

        return timed

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """`around` for `async def` functions."""

        async def timed(message: Message) -> Any:
            seconds, running = self._seconds, self._running
            begun = perf_counter()
            running.inc()
            try:
                return await call(message)
            finally:
                running.dec()
                seconds.observe(perf_counter() - begun)

        return timed

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Count."""
        numbers: dict[str, int] = {}
        retries = 0
        for message in messages:
            if status := _status(message):
                numbers[status] = numbers.get(status, 0) + 1
            if message.outcome is not None and message.outcome.attempts > 1:
                before = message.extra.get(ATTEMPTS, 0)
                retries += max(0, message.outcome.attempts - 1 - (before if isinstance(before, int) else 0))
        for status, number in numbers.items():
            self._metrics.tasks.labels(self._queue, status).inc(number)
        if retries:
            self._metrics.retries.labels(self._queue).inc(retries)

    def tick(self, now: float) -> None:
        """Ask the queue's size every 10 s."""
        host = self._host
        if host is not None and now >= self._sized_at and host.queue.broker.capabilities.size:
            self._sized_at = now + _SIZE_EVERY
            size = host.queue.size()
            for state, number in (("ready", size.ready), ("delayed", size.delayed), ("unacked", size.unacked)):
                self._metrics.messages.labels(self._queue, state).set(number)


def metrics_of(registry: CollectorRegistry = REGISTRY) -> Metrics:
    """Return a registry's metrics, made when they are asked for first."""
    with _lock:
        if registry not in _known:
            _known[registry] = Metrics(registry)
        return _known[registry]


def serve_metrics(
    port: int = 8000, address: str = "127.0.0.1", registry: CollectorRegistry = REGISTRY
) -> MetricsServer:
    """Serve `http://address:port/metrics` to Prometheus from a thread, without a password.

    Args:
        port: if it is taken, as it is by the first of several worker processes, the next free one of a hundred; 0: any.
        address: default: this machine only.
        registry: what is served.

    Raises:
        ConfigurationError: no port is free, or the address is not this machine's.
    """
    last: OSError | None = None
    for candidate in range(port, min(port + _PORTS, 65_536) if port else 1):
        try:
            server, thread = start_http_server(candidate, address, registry)
        except OSError as error:
            last = error
        else:
            thread.name = "fsdf-metrics"
            return MetricsServer(server, thread)
    raise ConfigurationError(f"metrics cannot be served at {address}:{port}: {last}. Set FSDF_METRICS_PORT")


class MetricsServer:
    """A running endpoint.

    Attributes:
        port: where it listens.
    """

    def __init__(self, server: WSGIServer, thread: threading.Thread) -> None:
        self.port = server.server_port
        self._server = server
        self._thread = thread

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _status(message: Message) -> str:
    match message.settlement:
        case None:
            return "success" if message.outcome is None or message.outcome.success else "failure"
        case DeadLetter():
            return "dead-letter"
        case Drop():
            return "dropped"
        case Requeue() | Delay():
            return "requeued"
        case Release():
            return ""


_lock = threading.Lock()
_known: dict[CollectorRegistry, Metrics] = {}
