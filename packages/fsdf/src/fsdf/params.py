"""Everything that can be said about a task, under the names that users know."""

from __future__ import annotations

import logging
from collections.abc import Callable  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fsdf.boosters_manager import DEFAULT_REGISTRY
from fsdf.broker_kind import resolve_broker_kind
from fsdf.built import PARAMS_NOT_BUILT, refuse_unbuilt
from fsdf.concurrent_mode import ConcurrentModeEnum, resolve_concurrent_mode
from fsdf.old_names import modernised
from fsdf.validation import clear_error
from fsdf_core.control import Control  # noqa: TC001 - pydantic reads it
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fsdf.booster import Booster

    # Users' subclasses narrow these, which checkers forbid for any other type.
    BrokerKind: TypeAlias = Any
    ConcurrentMode: TypeAlias = Any
else:
    BrokerKind = str | int | None
    ConcurrentMode = str | int

P = ParamSpec("P")
R = TypeVar("R")

_OVERRIDES = ("consumer_override_cls", "publisher_override_cls")
_POOL_METHODS = ("execute_many", "free_slots", "max_workers")


class BoosterParams(BaseModel):
    """The parameters of a task; an instance is a decorator. Subclasses may change defaults and add nothing.

    A parameter whose feature this version has not built raises `UnsupportedFeature` when it is set.

    Attributes:
        queue_name: the queue; one queue belongs to one function.
        broker_kind: member of `BrokerEnum`, its name, or a number of old versions; None (default) is the
            setting `broker` (SQLITE_QUEUE).
        project_name: a label.
        concurrent_mode: member of `ConcurrentModeEnum`, its value, or a number of old versions; default
            THREADING.
        concurrent_num: calls at once in one consumer, at least 1. Default 50; 500 if `qps` is set and this is
            not; always 1 with SINGLE_THREAD.
        specify_concurrent_pool: a pool that several consumers share; default None: one of its own.
        qps: starts a second in one consumer, fractions allowed; None or 0 is no limit (default).
        is_using_distributed_frequency_control: let all consumers of the queue together hold `qps`; default False.
        is_send_consumer_heartbeat_to_redis: tell the roster of workers about the consumer, in the state store
            (`state_url`), and obey what is ordered there. Default False: only if `state_url` is set or its default
            file exists.
        max_retry_times: runs after a failed first one; default 3.
        is_using_advanced_retry: wait between the runs as `advanced_retry_config` says; default False.
        advanced_retry_config: `retry_mode` ("sleep": wait in the worker, "requeue": on the queue),
            `retry_base_interval` (seconds, 1.0), `retry_multiplier` (2.0), `retry_max_interval` (60.0),
            `retry_jitter` (False); what is left out has its default.
        is_push_to_dlx_queue_when_retry_max_times: send what failed for good to `<queue_name>_dlx`; default False.
        function_timeout: seconds that a run may take, then it is stopped and has failed; None or 0 is no limit
            (default).
        is_support_remote_kill_task: let `RemoteTaskKiller` end tasks; default False.
        msg_expire_seconds: age from which messages are dropped; None or 0: none (default).
        do_task_filtering: drop a task if one with equal arguments has succeeded; default False.
        task_filtering_expire_seconds: how long a success counts for that; 0 (default): for ever.
        function_result_status_persistance_conf: what to record of each task: a
            `FunctionResultStatusPersistanceConfig`, a dict of its fields, or the old tuple (status, result, seconds);
            default None: nothing.
        user_custom_record_process_info_func: called with the `FunctionResultStatus` of each task that is done or
            goes back to the queue; may be `async def`; default None.
        is_using_rpc_mode: keep what the function returns for whoever waits on the `AsyncResult`; default False.
        rpc_result_expire_seconds: how long a result is kept; default 1800.
        rpc_timeout: seconds that an `AsyncResult` waits for it; default 1800.
        allow_run_time_cron: cron expression (5 fields) of the minutes in which tasks may start; default None.
        is_do_not_run_by_specify_time_effect: start no task within `do_not_run_by_specify_time`; default False.
        do_not_run_by_specify_time: two times of the day, may pass midnight; default ("10:00:00", "22:00:00").
        micro_batch_size: give the function so many calls at once, as a list of dicts; None (default): one call.
        micro_batch_timeout: seconds that the first call of a batch waits for others; default 5.
        consuming_function_decorator: wraps the function where it is consumed; default None.
        log_level: level of the task's logger, number or name; None (default) is the setting `log_level`
            (INFO).
        logger_prefix: goes before the queue's name in the logger's name `fsdf.<queue>`; default "".
        logger_name: the whole name of the logger, instead; default "".
        log_handler: "nb_log": nb_log's coloured console and rotating files (`pip install fsdf[nb-log]`); "logging":
            whatever handlers the program has set up; None (default) is the setting `log_handler` ("logging").
        log_filename: name of the log file in the setting `log_dir`; default with nb_log: `fsdf.<queue>.log`, else
            none is written.
        create_logger_file: write the log file; default True.
        is_show_message_get_from_broker: log each message received, at INFO; default False.
        is_print_detail_exception: log failures with their traceback (default), or in one line.
        publish_msg_log_use_full_msg: log each message published, at INFO; default False.
        schedule_tasks_on_main_thread: make `consume()` block until the consumer stops; default False.
        is_auto_start_consuming_message: consume as soon as the function is decorated; default False.
        booster_registry_name: the `BoosterRegistry` that knows the function; default: `BoostersManager`.
        booster_group: a label, for `BoostersManager.consume_group`.
        broker_exclusive_config: the broker's own options for this queue, such as `{"maxsize": 100}`.
        should_check_publish_func_params: compare arguments with the signature when they are published;
            default True.
        manual_func_input_params: names of the arguments by hand: `is_manual_func_input_params`,
            `must_arg_name_list`, `optional_arg_name_list`.
        consuming_function_kind: COMMON_FUNCTION, STATIC_METHOD, CLASS_METHOD or INSTANCE_METHOD; found out by
            itself.
        user_options: a dict for the user's own purposes.
        controls: the user's own rules, outermost of all, in this order.
        delay_task_apscheduler_jobstores_kind: accepted without effect: brokers keep delayed messages
            themselves.

    Raises:
        ConfigurationError: a name is unknown (suggests the nearest) or a value not valid.
        UnsupportedFeature: this version cannot do it yet.
    """

    model_config = ConfigDict(
        extra="forbid", validate_default=True, arbitrary_types_allowed=True, frozen=True, defer_build=True
    )

    queue_name: str = Field(min_length=1)
    broker_kind: BrokerKind = None
    project_name: str | None = None
    concurrent_mode: ConcurrentMode = ConcurrentModeEnum.THREADING
    concurrent_num: int = Field(default=50, ge=1)
    specify_concurrent_pool: Any = None
    specify_async_loop: Any = None
    is_auto_start_specify_async_loop_in_child_thread: bool = True
    qps: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    is_using_distributed_frequency_control: bool = False
    is_send_consumer_heartbeat_to_redis: bool = False
    max_retry_times: int = Field(default=3, ge=0)
    is_using_advanced_retry: bool = False
    advanced_retry_config: dict[str, Any] = Field(
        default_factory=lambda: {
            "retry_mode": "sleep",
            "retry_base_interval": 1.0,
            "retry_multiplier": 2.0,
            "retry_max_interval": 60.0,
            "retry_jitter": False,
        }
    )
    is_push_to_dlx_queue_when_retry_max_times: bool = False
    consuming_function_decorator: Callable[..., Any] | None = None
    function_timeout: float | None = Field(default=None, ge=0)
    is_support_remote_kill_task: bool = False
    log_level: int | str | None = None
    logger_prefix: str = ""
    logger_name: str = ""
    log_handler: Literal["logging", "nb_log"] | None = None
    log_filename: str | None = Field(default=None, min_length=1)
    create_logger_file: bool = True
    is_show_message_get_from_broker: bool = False
    is_print_detail_exception: bool = True
    publish_msg_log_use_full_msg: bool = False
    msg_expire_seconds: float | None = Field(default=None, ge=0)
    do_task_filtering: bool = False
    task_filtering_expire_seconds: float = Field(default=0, ge=0)
    function_result_status_persistance_conf: Any = None
    user_custom_record_process_info_func: Callable[..., Any] | None = None
    is_using_rpc_mode: bool = False
    rpc_result_expire_seconds: float = Field(default=1800, gt=0, allow_inf_nan=False)
    rpc_timeout: float = Field(default=1800, ge=0)
    delay_task_apscheduler_jobstores_kind: Literal["redis", "memory"] = "redis"
    allow_run_time_cron: str | None = None
    is_do_not_run_by_specify_time_effect: bool = False
    do_not_run_by_specify_time: tuple[str, str] = ("10:00:00", "22:00:00")
    schedule_tasks_on_main_thread: bool = False
    is_auto_start_consuming_message: bool = False
    booster_group: str | None = None
    consuming_function: Callable[..., Any] | None = None
    consuming_function_raw: Callable[..., Any] | None = None
    consuming_function_name: str = ""
    broker_exclusive_config: dict[str, Any] = Field(default_factory=dict)
    should_check_publish_func_params: bool = True
    manual_func_input_params: dict[str, Any] = Field(
        default_factory=lambda: {
            "is_manual_func_input_params": False,
            "must_arg_name_list": [],
            "optional_arg_name_list": [],
        }
    )
    consumer_override_cls: Any = None
    publisher_override_cls: Any = None
    consuming_function_kind: Literal["COMMON_FUNCTION", "STATIC_METHOD", "CLASS_METHOD", "INSTANCE_METHOD"] | None = (
        None
    )
    user_options: dict[str, Any] = Field(default_factory=dict)
    auto_generate_info: dict[str, Any] = Field(default_factory=dict)
    is_fake_booster: bool = False
    booster_registry_name: str = DEFAULT_REGISTRY
    controls: list[Control] = Field(default_factory=list)
    micro_batch_size: int | None = Field(default=None, ge=1)
    micro_batch_timeout: float = Field(default=5.0, ge=0)

    # Hidden from type checkers, which derive the constructor's parameters from the fields.
    if not TYPE_CHECKING:

        def __init__(self, **given: Any) -> None:
            name = type(self).__name__
            try:
                super().__init__(**modernised(given, type(self).model_fields.keys(), name))
            except ValidationError as error:
                raise clear_error(error, name) from None

    def __call__(self, function: Callable[P, R]) -> Booster[P, R]:
        """Decorate a function: `@BoosterParams(queue_name="q")`."""
        from fsdf.booster import Booster  # noqa: PLC0415 - it needs this module

        return Booster(self, function)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Refuse a subclass with parameters of its own, which would be a misspelling.

        Raises:
            ConfigurationError: there are such.
        """
        own = set(cls.model_fields) - set(BoosterParams.model_fields)
        if own:
            modernised(dict.fromkeys(sorted(own)), BoosterParams.model_fields.keys(), cls.__name__)
            raise ConfigurationError(f"{cls.__name__} uses old spellings: {', '.join(sorted(own))}")

    def model_post_init(self, _: Any, /) -> None:
        """Refuse what cannot be done."""
        for name in _OVERRIDES:
            if getattr(self, name) is not None:
                raise ConfigurationError(
                    f"{name} does not exist in fsdf: write a fsdf_core.control.Control and give it as controls=[…]"
                )
        defaults = {
            name: BoosterParams.model_fields[name].get_default(call_default_factory=True) for name in PARAMS_NOT_BUILT
        }
        refuse_unbuilt(self.__dict__, defaults, PARAMS_NOT_BUILT, type(self).__name__)

    @field_validator("broker_kind", mode="after")
    @classmethod
    def _known_broker(cls, kind: str | int | None) -> str | None:
        return None if kind is None else resolve_broker_kind(kind)

    @field_validator("concurrent_mode", mode="after")
    @classmethod
    def _known_mode(cls, mode: str | int) -> ConcurrentModeEnum:
        return resolve_concurrent_mode(mode)

    @field_validator("qps", "function_timeout", "msg_expire_seconds", mode="after")
    @classmethod
    def _zero_is_off(cls, value: float | None) -> float | None:
        return value or None

    @field_validator("log_level", mode="after")
    @classmethod
    def _number_of_level(cls, level: int | str | None) -> int | None:
        if isinstance(level, str):
            number = logging.getLevelName(level.upper())
            if not isinstance(number, int):
                raise ConfigurationError(f"unknown log_level {level!r}: use DEBUG, INFO, WARNING, ERROR or CRITICAL")
            return number
        return level

    @field_validator("function_result_status_persistance_conf", mode="after")
    @classmethod
    def _known_record_conf(cls, conf: Any) -> Any:
        if conf is None:
            return None
        from fsdf.record_conf import resolve_record_conf  # noqa: PLC0415 - it needs more imports than parameters do

        return resolve_record_conf(conf)

    @field_validator("specify_async_loop", mode="after")
    @classmethod
    def _usable_loop(cls, loop: Any) -> Any:
        if loop is not None and not hasattr(loop, "call_soon_threadsafe"):
            raise ConfigurationError(f"specify_async_loop: a {type(loop).__name__} is no event loop of asyncio")
        return loop

    @field_validator("specify_concurrent_pool", mode="after")
    @classmethod
    def _usable_pool(cls, pool: Any) -> Any:
        if pool is not None and not all(hasattr(pool, name) for name in _POOL_METHODS):
            raise ConfigurationError(
                f"specify_concurrent_pool: a {type(pool).__name__} is no pool of fsdf, "
                "use fsdf_pools.ShrinkableThreadPoolExecutor"
            )
        return pool
