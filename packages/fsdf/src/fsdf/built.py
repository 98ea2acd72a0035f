"""Which parameters do something in this version; the others must keep their defaults.

Whoever builds a feature moves its parameters out of here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.errors import UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PARAMS_NOT_BUILT = frozenset(
    {
        "advanced_retry_config",
        "allow_run_time_cron",
        "do_task_filtering",
        "function_result_status_persistance_conf",
        "function_timeout",
        "is_auto_start_specify_async_loop_in_child_thread",
        "is_do_not_run_by_specify_time_effect",
        "is_fake_booster",
        "is_push_to_dlx_queue_when_retry_max_times",
        "is_send_consumer_heartbeat_to_redis",
        "is_support_remote_kill_task",
        "is_using_advanced_retry",
        "is_using_distributed_frequency_control",
        "is_using_rpc_mode",
        "log_filename",
        "msg_expire_seconds",
        "rpc_result_expire_seconds",
        "rpc_timeout",
        "specify_async_loop",
        "task_filtering_expire_seconds",
        "user_custom_record_process_info_func",
    }
)
"""Fields of `BoosterParams`."""

OPTIONS_NOT_BUILT = frozenset(
    {
        "can_not_json_serializable_keys",
        "countdown",
        "do_task_filtering",
        "eta",
        "filter_str",
        "function_timeout",
        "is_print_detail_exception",
        "is_using_rpc_mode",
        "misfire_grace_time",
        "msg_expire_seconds",
        "otel_context",
    }
)
"""Fields of `TaskOptions`."""


def refuse_unbuilt(
    values: Mapping[str, Any], defaults: Mapping[str, Any], not_built: Collection[str], owner: str
) -> None:
    """Raise for each parameter that asks for what this version cannot do.

    Raises:
        UnsupportedFeature: a parameter has another value than its default; names it.
    """
    asked = [name for name in sorted(not_built) if values[name] != defaults[name]]
    if asked:
        raise UnsupportedFeature(
            f"{owner}: {', '.join(asked)} cannot be set yet, the feature comes with a later version of fsdf: "
            f"leave {'it' if len(asked) == 1 else 'them'} out"
        )
