"""What the registry of boosters offers besides decorating and consuming."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fsdf import BoosterParams, BoosterRegistry, BoostersManager, BrokerEnum, PublisherParams
from fsdf_core.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from conftest import Decorate, Happened

MEMORY = BrokerEnum.MEMORY_QUEUE


def test_without_a_function_only_known_queues_can_be_had(decorate: Decorate) -> None:
    task = decorate(lambda x: x)
    with pytest.raises(UnknownName, match=r"import its module first\. Did you mean"):
        BoostersManager.get_or_create(task.queue_name + "s")
    assert BoostersManager.get_or_create(task.queue_name) is task
    assert BoostersManager.get_or_create_booster_by_queue_name(task.queue_name) is task


def test_parameters_of_another_registry_are_refused(queue_name: str) -> None:
    params = BoosterParams(queue_name=queue_name, broker_kind=MEMORY, booster_registry_name="elsewhere")
    with pytest.raises(ConfigurationError, match="give booster_registry_name='booster_registry_default'"):
        BoostersManager.get_or_create(params, print)
    assert queue_name not in BoosterRegistry("elsewhere").get_all_queues()


def test_a_booster_is_created_once_by_many_threads(queue_name: str) -> None:
    params = BoosterParams(queue_name=queue_name, broker_kind=MEMORY, consuming_function=lambda x: x)
    begin = threading.Barrier(8)
    got: list[Any] = []

    def get() -> None:
        begin.wait(30)
        got.append(BoostersManager.get_or_create(params))

    threads = [threading.Thread(target=get, name=f"test-{number}") for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_a_name_alone_creates_in_the_registry_asked(queue_name: str) -> None:
    registry = BoosterRegistry("of-names")
    task = registry.get_or_create(queue_name, lambda x: x)
    assert registry.get_booster(queue_name) is task
    assert queue_name not in BoostersManager.get_all_queues()


def test_parameters_are_told_as_data(decorate: Decorate) -> None:
    task = decorate(lambda x: x, consuming_function_decorator=len, user_options={"a": [1, object]})
    told = BoostersManager.get_all_queue_name__boost_params_unstrict_dict()[task.queue_name]
    assert json.loads(json.dumps(told))["user_options"] == {"a": [1, "<class 'object'>"]}
    assert told["consuming_function_decorator"] == "<built-in function len>"
    assert told["concurrent_num"] == 50


def test_boosters_are_shown_in_the_log(decorate: Decorate, caplog: pytest.LogCaptureFixture) -> None:
    task = decorate(lambda x: x)
    with caplog.at_level(logging.INFO, "fsdf"):
        BoostersManager.show_all_boosters()
    assert f"queue {task.queue_name!r} (MEMORY_QUEUE): test_boosters_are_shown_in_the_log" in caplog.text


def test_another_projects_queue_takes_names_only_and_unchecked(decorate: Decorate, happened: Happened) -> None:
    task = decorate(lambda **given: happened(given), should_check_publish_func_params=False)
    params = PublisherParams(queue_name=task.queue_name, broker_kind=MEMORY)
    publisher = BoostersManager.get_cross_project_publisher(params)
    with pytest.raises(TypeError, match=f"the function of queue '{task.queue_name}'.*arguments by name"):
        publisher.push(1)
    publisher.push(anything=1)
    publisher.publish({"at": "all"})
    assert BoostersManager.get_booster(task.queue_name) is task
    BoostersManager.consume_queues(task.queue_name, block=False)
    assert {"anything": 1} in happened.expect(2)
    assert {"at": "all"} in happened.what


def test_another_projects_queue_may_have_its_names_given(queue_name: str) -> None:
    names = {"is_manual_func_input_params": True, "must_arg_name_list": ["x"], "optional_arg_name_list": ["y"]}
    params = PublisherParams(queue_name=queue_name, broker_kind=MEMORY, manual_func_input_params=names)
    publisher = BoostersManager.get_cross_project_publisher(params)
    with pytest.raises(TypeError, match="misses x"):
        publisher.push(y=1)
    publisher.push(1, 2)
    assert publisher.get_message_count() == 1
