"""Controls for fsdf: whether, when and how a task runs."""

from typing import TYPE_CHECKING

from fsdf_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from fsdf_control.backoff import Constant, Exponential
    from fsdf_control.circuit_breaker import CircuitBreaker
    from fsdf_control.cron_window import CronWindow
    from fsdf_control.dead_letter import DeadLetterOnRequest
    from fsdf_control.deduplicate import Deduplicate
    from fsdf_control.delay import Delay
    from fsdf_control.enlist import Enlist
    from fsdf_control.expire import Expire
    from fsdf_control.filter import Filter, clear_filter
    from fsdf_control.key_concurrency import KeyConcurrency
    from fsdf_control.kill import RemoteKill
    from fsdf_control.metrics import PrometheusMetrics, serve_metrics
    from fsdf_control.pausing import Pause, is_paused, pause, resume
    from fsdf_control.quota import Quota
    from fsdf_control.rate_limit import RateLimit
    from fsdf_control.records import Records
    from fsdf_control.requeue import Requeue
    from fsdf_control.results import Results
    from fsdf_control.retry import Retry
    from fsdf_control.run_report import RunReport
    from fsdf_control.shared_rate import SharedRateLimit
    from fsdf_control.statistics import Statistics, StatisticsSnapshot
    from fsdf_control.timeout import Timeout
    from fsdf_control.tracing import Tracing
    from fsdf_control.window import TimeWindow

__version__ = "0.1.0"

__all__ = [
    "CircuitBreaker",
    "Constant",
    "CronWindow",
    "DeadLetterOnRequest",
    "Deduplicate",
    "Delay",
    "Enlist",
    "Expire",
    "Exponential",
    "Filter",
    "KeyConcurrency",
    "Pause",
    "PrometheusMetrics",
    "Quota",
    "RateLimit",
    "Records",
    "RemoteKill",
    "Requeue",
    "Results",
    "Retry",
    "RunReport",
    "SharedRateLimit",
    "Statistics",
    "StatisticsSnapshot",
    "TimeWindow",
    "Timeout",
    "Tracing",
    "__version__",
    "clear_filter",
    "is_paused",
    "pause",
    "resume",
    "serve_metrics",
]

# Imported when they are used: some need libraries whose import takes long.
_HOMES = {
    "CircuitBreaker": ".circuit_breaker",
    "Constant": ".backoff",
    "CronWindow": ".cron_window",
    "DeadLetterOnRequest": ".dead_letter",
    "Deduplicate": ".deduplicate",
    "Delay": ".delay",
    "Enlist": ".enlist",
    "Expire": ".expire",
    "Exponential": ".backoff",
    "Filter": ".filter",
    "KeyConcurrency": ".key_concurrency",
    "Pause": ".pausing",
    "PrometheusMetrics": ".metrics",
    "Quota": ".quota",
    "RateLimit": ".rate_limit",
    "Records": ".records",
    "RemoteKill": ".kill",
    "Requeue": ".requeue",
    "Results": ".results",
    "Retry": ".retry",
    "RunReport": ".run_report",
    "SharedRateLimit": ".shared_rate",
    "Statistics": ".statistics",
    "StatisticsSnapshot": ".statistics",
    "TimeWindow": ".window",
    "Timeout": ".timeout",
    "Tracing": ".tracing",
    "clear_filter": ".filter",
    "is_paused": ".pausing",
    "pause": ".pausing",
    "resume": ".pausing",
    "serve_metrics": ".metrics",
}

__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
