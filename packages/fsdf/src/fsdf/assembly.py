"""Builds the pieces of fsdf-core that a task's parameters describe.

Imported at the first push or consume, because reading the settings takes longer than all the rest.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from fsdf.broker_kind import BrokerEnum, resolve_broker_kind
from fsdf.concurrent_mode import ConcurrentModeEnum
from fsdf.console_log import write_log_lines
from fsdf.controls import consumer_controls, publisher_controls
from fsdf.lazy_enlist import LazyEnlist
from fsdf.log_handlers import add_log_handlers
from fsdf.message_log import BriefErrors, PublishedLog
from fsdf.old_names import known_options
from fsdf.params import BoosterParams
from fsdf.supervision.role import role
from fsdf_core import registry
from fsdf_core.batch import Batch
from fsdf_core.consumer import Consumer
from fsdf_core.coroutines import is_async
from fsdf_core.errors import UnknownName, UnsupportedFeature
from fsdf_core.green.broker import cooperative_broker
from fsdf_core.publisher import Publisher
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_control import Statistics
    from fsdf_core.broker import Broker, Queue
    from fsdf_core.pool import Pool
    from fsdf_pools.loop_thread import LoopThread

_lock = threading.Lock()
_brokers: dict[type[Broker], Broker] = {}
# Never used again, never closed: their connections and locks are the parent's.
_inherited: list[Broker] = []

_MANY_WORKERS = 500
"""With a rate limit the number of workers must not be what limits."""


def open_queue(params: BoosterParams) -> Queue:
    """Return the task's queue at the process's one broker of its kind.

    Raises:
        UnsupportedFeature: this version has no such broker, or what is published in this process would reach nobody.
        MissingDependency: its client library is not installed.
        ConfigurationError: `broker_exclusive_config` has a key that the broker does not know.
    """
    kind = resolve_broker_kind(params.broker_kind or get_settings().broker)
    broker = _broker(kind)
    if role.lent and not broker.capabilities.cross_process:
        raise UnsupportedFeature(
            f"{params.queue_name}: this process runs calls for a consumer in another one, which a queue of {kind} does "
            "not reach: choose another broker_kind"
        )
    return broker.queue(params.queue_name, **known_options(params.broker_exclusive_config, broker.queue_options, kind))


def open_publisher(params: BoosterParams, queue: Queue) -> Publisher:
    """Return what publishes to the queue."""
    log = [PublishedLog(task_logger(params))] if params.publish_msg_log_use_full_msg else []
    return Publisher(queue, controls=[*publisher_controls(params), *log], timezone=get_settings().timezone)


def open_pool(params: BoosterParams, function: Callable[..., Any]) -> Pool:
    """Return a pool of the consumer's own; plain functions get threads in ASYNC mode, too."""
    mode = ConcurrentModeEnum(params.concurrent_mode)
    if mode is ConcurrentModeEnum.ASYNC and not is_async(function):
        mode = ConcurrentModeEnum.THREADING
    # A class, of which the contract says nothing about the constructor.
    adapter: Any = registry.pools.get(mode.value)
    pool: Pool
    options = {"max_workers": worker_count(params), "thread_name_prefix": f"fsdf-{params.queue_name}"}
    if mode is ConcurrentModeEnum.SINGLE_THREAD:
        pool = adapter()
    elif mode is ConcurrentModeEnum.ASYNC:
        run = params.is_auto_start_specify_async_loop_in_child_thread
        pool = adapter(loop=params.specify_async_loop, run_loop=run, **options)
    else:
        pool = adapter(**options)
    return pool


def run_loop(params: BoosterParams, function: Callable[..., Any], pool: Pool) -> LoopThread | None:
    """Run `specify_async_loop` in a thread, if threads are to use it and nobody runs it."""
    loop = params.specify_async_loop
    if loop is None or not is_async(function) or getattr(pool, "runs_coroutines", False):
        return None
    from fsdf_pools.loop_thread import LoopThread  # noqa: PLC0415 - asyncio is slow to import

    thread = LoopThread(
        f"fsdf-{params.queue_name}-loop", loop, run=params.is_auto_start_specify_async_loop_in_child_thread
    )
    thread.start()
    return thread


def open_consumer(
    params: BoosterParams,
    function: Callable[..., Any],
    queue: Queue,
    pool: Pool,
    statistics: Statistics,
    on_stopped: Callable[[bool], None],
) -> Consumer:
    """Return the consumer, which counts in `statistics` and calls `on_stopped` whoever stops it.

    Raises:
        ConfigurationError: a parameter's value makes no sense.
    """
    settings = get_settings()
    logger = task_logger(params)
    controls = consumer_controls(params, queue, logger, statistics)
    consumer = Consumer(
        function,
        queue=queue,
        pool=pool,
        controls=controls,
        grace=settings.grace,
        loop=params.specify_async_loop,
        batch=Batch(params.micro_batch_size, params.micro_batch_timeout) if params.micro_batch_size else None,
        logger=logger,
        on_stopped=on_stopped,
    )
    for control in controls:
        if isinstance(control, LazyEnlist):
            control.stop_consumer = consumer.stop
    return consumer


def worker_count(params: BoosterParams) -> int:
    """Return how many calls may run at once."""
    if params.concurrent_mode == ConcurrentModeEnum.SINGLE_THREAD:
        return 1
    override = get_settings().concurrent_num
    if override is not None:
        return override
    # A subclass's own default counts as set.
    left_alone = (
        "concurrent_num" not in params.model_fields_set
        and params.concurrent_num == BoosterParams.model_fields["concurrent_num"].default
    )
    if left_alone and params.concurrent_mode == ConcurrentModeEnum.PROCESS:
        return os.cpu_count() or 1
    if left_alone and params.concurrent_mode == ConcurrentModeEnum.RAY:
        from fsdf_pools.ray_pool import cluster_cpus  # noqa: PLC0415 - Ray takes a second

        return cluster_cpus()
    return _MANY_WORKERS if params.qps and left_alone else params.concurrent_num


def task_logger(params: BoosterParams) -> logging.Logger:
    """Return the task's logger, at its level."""
    if get_settings().log_console:
        write_log_lines()
    logger = logging.getLogger(params.logger_name or f"fsdf.{params.logger_prefix}{params.queue_name}")
    add_log_handlers(logger, params)
    if isinstance(params.log_level, int):
        logger.setLevel(params.log_level)
    elif logger.level == logging.NOTSET:
        logger.setLevel(get_settings().log_level)
    for found in logger.filters:
        if isinstance(found, BriefErrors):
            found.brief = not params.is_print_detail_exception
            break
    else:
        logger.addFilter(BriefErrors(brief=not params.is_print_detail_exception))
    return logger


def _broker(kind: str) -> Broker:
    try:
        adapter = registry.brokers.get(kind)
    except UnknownName as error:
        if kind not in BrokerEnum.__members__.values():
            raise
        installed = ", ".join(registry.brokers.names())
        raise UnsupportedFeature(
            f"broker_kind {kind} comes with a later version of fsdf; installed: {installed}"
        ) from error
    with _lock:
        if adapter not in _brokers:
            _brokers[adapter] = cooperative_broker(adapter.from_settings(get_settings()))
        return _brokers[adapter]


def _forget_after_fork() -> None:
    global _lock  # noqa: PLW0603 - the parent's may be held
    _lock = threading.Lock()
    _inherited.extend(_brokers.values())
    _brokers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
