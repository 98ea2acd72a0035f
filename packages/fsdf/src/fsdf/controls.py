"""The controls that a task's parameters ask for.

The order matters: the first is the outermost around a call, asked first for admission and after an error.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fsdf.broker_kind import resolve_broker_kind
from fsdf.description import function_of, function_title
from fsdf.lazy_enlist import LazyEnlist
from fsdf.lazy_pause import LazyPause
from fsdf.message_log import ReceivedLog
from fsdf.misfit import Misfit
from fsdf.observation import observers
from fsdf.on_demand import OnDemand
from fsdf.record_conf import records_of
from fsdf.result_source import result_store
from fsdf.state import existing_state_of, state_of
from fsdf_control import (
    CronWindow,
    DeadLetterOnRequest,
    Delay,
    Expire,
    Exponential,
    Filter,
    RateLimit,
    RemoteKill,
    Requeue,
    Results,
    Retry,
    RunReport,
    SharedRateLimit,
    Statistics,
    Timeout,
    TimeWindow,
)
from fsdf_core.errors import ConfigurationError
from fsdf_core.settings import get_settings
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from fsdf.params import BoosterParams
    from fsdf_core.broker import Queue
    from fsdf_core.control import Control

_RETRY_KEYS = ("retry_mode", "retry_base_interval", "retry_multiplier", "retry_max_interval", "retry_jitter")
_RETRY_MODES = {"sleep": "worker", "requeue": "queue"}


def consumer_controls(
    params: BoosterParams, queue: Queue, logger: logging.Logger, statistics: Statistics
) -> list[Control]:
    """Return the consumer's controls: results, the user's own, then what measures, admits, wraps, recovers.

    Args:
        params: the task's parameters.
        queue: the task's queue.
        logger: the task's logger.
        statistics: counts for the task.

    Raises:
        ConfigurationError: a parameter's value makes no sense.
        MissingDependency: a parameter needs shared state, and the store's library is not installed.
    """
    controls: list[Control] = [_results(params, queue), *params.controls, statistics, *records_of(params), *observers()]
    if params.is_show_message_get_from_broker:
        controls.append(ReceivedLog(logger))
    if params.is_support_remote_kill_task:
        controls.append(RemoteKill(state_of(queue)))
    limits = _limits(params, queue)
    kind = resolve_broker_kind(params.broker_kind or get_settings().broker)
    return [
        *controls,
        LazyPause(partial(existing_state_of, queue)),
        LazyEnlist(params, kind, statistics, [*params.controls, *limits]),
        *limits,
        *_admission(params, queue),
        *_wrappers(params),
        Requeue(),
        DeadLetterOnRequest(),
        *_misfits(params),
        _retry(params),
    ]


def _results(params: BoosterParams, queue: Queue) -> Results:
    if params.is_using_rpc_mode:
        result_store(queue)  # now, because a consumer that cannot open it must not start
    return Results(
        partial(result_store, queue),
        params.rpc_result_expire_seconds,
        enabled=params.is_using_rpc_mode,
        dead_letter=params.is_push_to_dlx_queue_when_retry_max_times,
        function=function_title(params).rpartition(".")[2],
    )


def publisher_controls(params: BoosterParams) -> list[Control]:
    """Return the producer's controls."""
    return [*params.controls, Delay(get_settings().timezone), *observers()]


def _limits(params: BoosterParams, queue: Queue) -> list[Control]:
    timezone, qps = get_settings().timezone, get_settings().qps
    qps = params.qps if qps is None else qps
    limits: list[Control] = []
    if params.is_do_not_run_by_specify_time_effect:
        limits.append(TimeWindow.closed_between(*params.do_not_run_by_specify_time, timezone=timezone))
    if params.allow_run_time_cron:
        limits.append(CronWindow(params.allow_run_time_cron, timezone))
    if qps and params.is_using_distributed_frequency_control:
        limits.append(SharedRateLimit(qps, state_of(queue)))
    elif qps:
        limits.append(RateLimit(qps))
    return limits


def _admission(params: BoosterParams, queue: Queue) -> list[Control]:
    """Return what screens messages; what only a message's own options can ask for costs the others nothing."""
    ttl = params.task_filtering_expire_seconds
    on_demand: dict[tuple[str, ...], Callable[[], Control]] = {}
    admission: list[Control] = []
    if params.msg_expire_seconds:
        admission.append(Expire(params.msg_expire_seconds))
    else:
        on_demand["msg_expire_seconds",] = Expire
    on_demand["countdown", "eta"] = partial(Delay, get_settings().timezone)
    if not params.do_task_filtering:
        on_demand["do_task_filtering",] = partial(_filter, queue, ttl)
    admission.append(OnDemand(on_demand))
    if params.do_task_filtering:
        admission.append(Filter(state_of(queue), ttl))
    return admission


def _filter(queue: Queue, ttl: float) -> Filter:
    return Filter(state_of(queue), ttl, enabled=False)


def _wrappers(params: BoosterParams) -> list[Control]:
    wrappers: list[Control] = []
    if params.user_custom_record_process_info_func is not None:
        name = function_title(params).rpartition(".")[2]
        wrappers.append(RunReport(params.user_custom_record_process_info_func, name))
    wrappers.append(Timeout(params.function_timeout))
    return wrappers


def _misfits(params: BoosterParams) -> list[Misfit]:
    # What a decorator or a batch function takes, its signature does not say.
    function = function_of(params)
    if function is None or params.consuming_function_decorator is not None or params.micro_batch_size:
        return []
    try:
        return [Misfit(function)]
    except ValueError:
        return []  # a builtin without a signature


def _retry(params: BoosterParams) -> Retry:
    dead_letter = params.is_push_to_dlx_queue_when_retry_max_times
    if not params.is_using_advanced_retry:
        return Retry(params.max_retry_times, dead_letter=dead_letter)
    config: dict[str, Any] = {
        **type(params).model_fields["advanced_retry_config"].get_default(call_default_factory=True)
    }
    for key, value in params.advanced_retry_config.items():
        if key not in _RETRY_KEYS:
            raise ConfigurationError(f"advanced_retry_config has no key {key!r}.{did_you_mean(key, _RETRY_KEYS)}")
        config[key] = value
    if config["retry_mode"] not in _RETRY_MODES:
        raise ConfigurationError(f"retry_mode is 'sleep' or 'requeue', not {config['retry_mode']!r}")
    try:
        backoff = Exponential(
            config["retry_base_interval"],
            config["retry_multiplier"],
            config["retry_max_interval"],
            jitter=config["retry_jitter"],
        )
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"advanced_retry_config: {error}") from None
    wait: Any = _RETRY_MODES[config["retry_mode"]]
    return Retry(params.max_retry_times, backoff=backoff, wait=wait, dead_letter=dead_letter)
