"""The ways to decorate."""

from __future__ import annotations

import pytest

from fsdf import (
    Booster,
    BoosterParams,
    BoosterRegistry,
    BoostersManager,
    BrokerEnum,
    ConcurrentModeEnum,
    boost,
    get_consumer,
    task_deco,
)
from fsdf_core.errors import ConfigurationError, UnknownName


def add(x, y=1):
    """Sum."""
    return x + y


def test_every_form_makes_a_booster(queue_name):
    params = BoosterParams(queue_name=queue_name, qps=5)
    forms = [
        boost(queue_name, qps=5),
        boost(queue_name=queue_name, qps=5),
        boost(params),
        params,
        task_deco(queue_name, qps=5),
        Booster(queue_name, qps=5),
        Booster(params),
    ]
    for form in forms:
        made = form(add)
        assert isinstance(made, Booster)
        assert made(2, y=3) == 5
        assert made.boost_params == params
        assert made.queue_name == queue_name
        assert made.consuming_function is made.__wrapped__ is add
        assert (made.__name__, made.__doc__, made.__module__) == ("add", "Sum.", __name__)


def test_registries_are_apart(queue_name):
    other = BoosterRegistry("other")
    made = boost(queue_name, booster_registry_name="other")(add)
    assert BoosterRegistry("other") is other
    assert other.get_booster(queue_name) is made
    assert BoosterRegistry() is BoostersManager
    assert queue_name not in BoostersManager.get_all_queues()


def test_decorating_twice_keeps_the_plain_function(queue_name):
    assert boost(queue_name)(boost(queue_name)(add)).consuming_function is add


def test_a_subclass_of_the_params_changes_defaults(queue_name):
    class Mine(BoosterParams):
        broker_kind: str = BrokerEnum.MEMORY_QUEUE
        max_retry_times: int = 4
        concurrent_mode: str = ConcurrentModeEnum.SINGLE_THREAD

    @boost(Mine(queue_name=queue_name, max_retry_times=5))
    def task(x): ...

    assert task.boost_params.broker_kind == "MEMORY_QUEUE"
    assert task.boost_params.max_retry_times == 5
    assert Mine(queue_name=queue_name).max_retry_times == 4


def test_a_subclass_with_a_misspelt_parameter_is_refused():
    with pytest.raises(ConfigurationError, match="no parameter 'max_retry_time'.*'max_retry_times'"):

        class Mine(BoosterParams):
            max_retry_time: int = 4


def test_get_consumer_returns_consumer_and_publisher(queue_name):
    consumer = get_consumer(queue_name, consuming_function=add, broker_kind=3)
    consumer.publisher_of_same_queue.publish({"x": 1})
    assert consumer.publisher_of_same_queue.get_message_count() == 1
    consumer.publisher_of_same_queue.clear()
    assert consumer.publisher_of_same_queue.get_message_count() == 0
    assert consumer.consuming_function is add


def test_the_manager_knows_every_task(queue_name):
    params = BoosterParams(queue_name=queue_name, broker_kind="MEMORY_QUEUE", consuming_function=add)
    task = BoostersManager.build_booster(params)
    assert queue_name in BoostersManager.get_all_queues()
    assert BoostersManager.get_booster(queue_name) is task
    assert task in BoostersManager.get_all_boosters()
    assert BoostersManager.get_boost_params(queue_name) is params
    BoostersManager.push(queue_name, 1, y=2)
    BoostersManager.publish(queue_name, {"x": 1})
    assert task.get_message_count() == 2
    with pytest.raises(UnknownName, match="no function of queue"):
        BoostersManager.get_booster("nobody's")


def test_two_functions_on_one_queue_are_told_of(queue_name, caplog):
    boost(queue_name)(add)
    boost(queue_name)(add)
    assert not caplog.records
    boost(queue_name)(lambda x: x)
    assert "each would run the other's messages" in caplog.text


def test_what_is_no_function_is_refused(queue_name):
    with pytest.raises(ConfigurationError, match="a task is a function"):
        boost(queue_name)(5)
    with pytest.raises(ConfigurationError, match="no queue name"):
        boost(add)
    with pytest.raises(ConfigurationError, match="a task is a function"):
        BoostersManager.build_booster(BoosterParams(queue_name=queue_name))
    with pytest.raises(ConfigurationError, match="give qps inside BoosterParams"):
        boost(BoosterParams(queue_name=queue_name), qps=3)


def test_a_function_that_a_call_does_not_run_is_refused(queue_name):
    def lines():
        yield 1

    async def chunks():
        yield 1

    for function in (lines, chunks):
        with pytest.raises(ConfigurationError, match="is a generator function"):
            boost(queue_name)(function)


def test_a_decorator_that_returns_nothing_is_refused(decorate):
    task = decorate(add, consuming_function_decorator=lambda function: None)
    with pytest.raises(ConfigurationError, match="consuming_function_decorator has returned None"):
        task.consume()
    assert not task.consumer.running


def test_a_builtin_without_a_signature_needs_names(queue_name):
    with pytest.raises(ConfigurationError, match="name them in manual_func_input_params"):
        boost(queue_name)(max)


def test_a_parameter_called_extra_is_refused(queue_name):
    with pytest.raises(ConfigurationError, match="'extra'"):

        @boost(queue_name)
        def task(extra): ...


def test_the_manager_consumes_queues_and_groups(decorate):
    first, second, third = (decorate(add, booster_group=group) for group in ("left", "left", "right"))
    BoostersManager.consume(third.queue_name, block=False)
    assert (first.consumer.running, third.consumer.running) == (False, True)
    BoostersManager.consume_group("left")
    assert first.consumer.running
    assert second.consumer.running
    with pytest.raises(UnknownName, match="Did you mean 'right'"):
        BoostersManager.consume_group("rihgt")
    with pytest.raises(UnknownName):
        BoostersManager.consume(first.queue_name, "nobody's", block=False)
