"""BoosterParams and TaskOptions: names, defaults, refusals."""

from __future__ import annotations

import logging

import pytest

from fsdf import BoosterParams, PriorityConsumingControlConfig, TaskOptions, boost
from fsdf.built import OPTIONS_NOT_BUILT, PARAMS_NOT_BUILT
from fsdf_control import RateLimit
from fsdf_core.errors import ConfigurationError, UnsupportedFeature
from fsdf_pools import ShrinkableThreadPoolExecutor

KNOWN = [
    "queue_name",
    "broker_kind",
    "project_name",
    "concurrent_mode",
    "concurrent_num",
    "specify_concurrent_pool",
    "specify_async_loop",
    "is_auto_start_specify_async_loop_in_child_thread",
    "qps",
    "is_using_distributed_frequency_control",
    "is_send_consumer_heartbeat_to_redis",
    "max_retry_times",
    "is_using_advanced_retry",
    "advanced_retry_config",
    "is_push_to_dlx_queue_when_retry_max_times",
    "consuming_function_decorator",
    "function_timeout",
    "is_support_remote_kill_task",
    "log_level",
    "logger_prefix",
    "logger_name",
    "log_filename",
    "create_logger_file",
    "is_show_message_get_from_broker",
    "is_print_detail_exception",
    "publish_msg_log_use_full_msg",
    "msg_expire_seconds",
    "do_task_filtering",
    "task_filtering_expire_seconds",
    "function_result_status_persistance_conf",
    "user_custom_record_process_info_func",
    "is_using_rpc_mode",
    "rpc_result_expire_seconds",
    "rpc_timeout",
    "delay_task_apscheduler_jobstores_kind",
    "allow_run_time_cron",
    "schedule_tasks_on_main_thread",
    "is_auto_start_consuming_message",
    "booster_group",
    "consuming_function",
    "consuming_function_raw",
    "consuming_function_name",
    "broker_exclusive_config",
    "should_check_publish_func_params",
    "manual_func_input_params",
    "consumer_override_cls",
    "publisher_override_cls",
    "consuming_function_kind",
    "user_options",
    "auto_generate_info",
    "is_fake_booster",
    "booster_registry_name",
    "is_do_not_run_by_specify_time_effect",
    "do_not_run_by_specify_time",
]

OTHER_VALUES = {
    "advanced_retry_config": {"retry_mode": "requeue"},
    "allow_run_time_cron": "* 9-17 * * *",
    "booster_registry_name": "other",
    "function_timeout": 5,
    "is_auto_start_specify_async_loop_in_child_thread": False,
    "msg_expire_seconds": 5,
    "rpc_result_expire_seconds": 5,
    "rpc_timeout": 5,
    "specify_async_loop": object(),
    "task_filtering_expire_seconds": 5,
    "user_custom_record_process_info_func": print,
}


def test_every_known_field_is_there():
    own = {"controls", "log_handler", "micro_batch_size", "micro_batch_timeout"}
    assert set(KNOWN) | own == set(BoosterParams.model_fields)


def test_all_defaults_are_accepted_when_written_out():
    fields = BoosterParams.model_fields.items()
    given = {name: field.get_default(call_default_factory=True) for name, field in fields}
    assert BoosterParams(**{**given, "queue_name": "q"}) == BoosterParams(queue_name="q")


@pytest.mark.parametrize("name", sorted(PARAMS_NOT_BUILT))
def test_a_field_that_is_not_built_is_refused_by_name(name):
    with pytest.raises(UnsupportedFeature, match=rf"\b{name}\b.*later version"):
        BoosterParams(queue_name="q", **{name: OTHER_VALUES.get(name, True)})


def test_zeros_of_old_versions_mean_off():
    params = BoosterParams(
        queue_name="q", qps=0, function_timeout=0, msg_expire_seconds=0, task_filtering_expire_seconds=0,
        function_result_status_persistance_conf=(False, False, 7 * 24 * 3600),
    )  # fmt: skip
    assert params == BoosterParams(queue_name="q")


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("msg_expire_senconds", "msg_expire_seconds", 0),
        ("is_send_consumer_hearbeat_to_redis", "is_send_consumer_heartbeat_to_redis", False),
        ("consumin_function_decorator", "consuming_function_decorator", None),
        ("threads_num", "concurrent_num", 7),
    ],
)
def test_an_old_spelling_warns_at_the_users_line(old, new, value):
    with pytest.warns(DeprecationWarning, match=f"'{old}' is called '{new}' now") as caught:
        params = BoosterParams(queue_name="q", **{old: value})
        boost("q", **{old: value})
    assert getattr(params, new) == (value or BoosterParams.model_fields[new].default)
    assert [warning.filename for warning in caught] == [__file__] * 2


def test_both_spellings_are_refused():
    with pytest.raises(ConfigurationError, match="give only one"):
        BoosterParams(queue_name="q", threads_num=5, concurrent_num=6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"qsp": 5}, "BoosterParams has no parameter 'qsp'. Did you mean 'qps'"),
        ({"retry_interval": 5}, "'retry_interval' any more: set is_using_advanced_retry"),
        ({"qps": -1}, "qps"),
        ({"qps": "fast"}, "qps"),
        ({"qps": float("nan")}, "qps"),
        ({"concurrent_num": 0}, "concurrent_num"),
        ({"max_retry_times": -1}, "max_retry_times"),
        ({"log_level": "LOUD"}, "unknown log_level 'LOUD'"),
        ({"queue_name": ""}, "queue_name"),
        ({"specify_concurrent_pool": 5}, "a int is no pool"),
        ({"specify_async_loop": "main"}, "a str is no event loop"),
        ({"consumer_override_cls": object}, "consumer_override_cls does not exist.*controls="),
        ({"publisher_override_cls": object}, "publisher_override_cls does not exist.*controls="),
        ({"controls": [5]}, "controls"),
    ],
)
def test_wrong_parameters_are_refused(given, message):
    with pytest.raises(ConfigurationError, match=message):
        BoosterParams(**{"queue_name": "q", **given})


def test_the_queue_name_is_needed():
    with pytest.raises(ConfigurationError, match="queue_name"):
        BoosterParams()


def test_log_levels_by_name():
    assert BoosterParams(queue_name="q", log_level="debug").log_level == logging.DEBUG


def test_params_are_not_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        BoosterParams(queue_name="q").qps = 5


def test_a_control_and_a_pool_are_accepted_as_they_are():
    control, pool = RateLimit(5), ShrinkableThreadPoolExecutor(2)
    params = BoosterParams(queue_name="q", controls=[control], specify_concurrent_pool=pool)
    assert params.controls[0] is control
    assert params.specify_concurrent_pool is pool


def test_options_send_only_what_was_set():
    assert PriorityConsumingControlConfig is TaskOptions
    options = TaskOptions(task_id=5, max_retry_times=0, user_extra_info={"a": 1})
    assert options.to_extra() == {"task_id": "5", "max_retry_times": 0, "user_extra_info": {"a": 1}}
    assert TaskOptions().to_extra() == {}


@pytest.mark.parametrize(
    ("options", "priority"),
    [
        ({}, 0),
        ({"priority": 3}, 3),
        ({"other_extra_params": {"priroty": 4}}, 4),
        ({"other_extra_params": {"priority": 5}}, 5),
    ],
)
def test_a_priority_may_be_given_in_several_ways(options, priority):
    assert TaskOptions(**options).wanted_priority == priority


@pytest.mark.parametrize("name", sorted(OPTIONS_NOT_BUILT))
def test_an_option_that_is_not_built_is_refused_by_name(name):
    values = {"eta": "2030-01-01 00:00:00", "filter_str": "x", "otel_context": {}}
    values["can_not_json_serializable_keys"] = ["a"]
    with pytest.raises(UnsupportedFeature, match=rf"\b{name}\b"):
        TaskOptions(**{name: values.get(name, 1)})


def test_switching_off_what_is_off_is_fine():
    assert TaskOptions(is_using_rpc_mode=False, do_task_filtering=False).is_using_rpc_mode is False


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_retry_time": 1}, "TaskOptions has no parameter 'max_retry_time'.*'max_retry_times'"),
        ({"max_retry_times": -1}, "max_retry_times"),
        ({"priority": -1}, "priority"),
        ({"other_extra_params": {"priroty": "high"}}, "a priority must be a whole number"),
    ],
)
def test_wrong_options_are_refused(given, message):
    with pytest.raises(ConfigurationError, match=message):
        TaskOptions(**given)
