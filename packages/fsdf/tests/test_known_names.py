"""Names that users of older versions know beside the main ones."""

import asyncio
from concurrent.futures import TimeoutError as NotInTime

import pytest

import fsdf
from fsdf import BoosterParamsComplete, BrokerEnum, HasNotAsyncResult, fct, get_publisher


def divide(x, y):
    return x / y


def test_a_call_that_the_function_does_not_take_publishes_nothing(decorate):
    task = decorate(divide)
    with pytest.raises(TypeError, match="misses y"):
        task.publisher.get_future(1)
    with pytest.raises(TypeError, match="does not take z"):
        task.publisher.check_func_msg_dict({"x": 1, "y": 2, "z": 3})
    task.publisher.check_func_msg_dict({"x": 1, "y": 2})
    assert task.get_message_count() == 0


def test_the_future_of_a_task_that_fails_tells_why(decorate):
    task = decorate(divide, max_retry_times=0)
    future = task.publisher.get_future(1, y=0)
    task.consume()
    status = future.result(60)
    assert (status.success, status.exception_type) == (False, "ZeroDivisionError")


def test_the_future_of_a_task_that_does_not_end_in_time(decorate):
    task = decorate(divide, rpc_timeout=0.2)
    future = task.publisher.get_future(1, 2)
    with pytest.raises(HasNotAsyncResult):
        future.result(60)


def test_the_future_of_a_task_without_results(decorate):
    task = decorate(divide)
    future = task.publisher.get_future(6, y=3)
    with pytest.raises(NotInTime):
        future.result(0)
    task.consume()
    status = future.result(60)
    assert (status.result, status.task_id) == (2.0, status.msg_dict["extra"]["task_id"])


def test_a_future_is_awaited(decorate):
    task = decorate(divide)
    task.consume()

    async def ask():
        return await asyncio.wait_for(task.publisher.get_aio_future(6, 2), 60)

    assert asyncio.run(ask()).result == 3.0


def test_a_running_task_knows_its_status(decorate):
    def tell(x):
        fct.user_context["seen"] = x
        status = fct.function_result_status
        assert status.run_times == 2, "fails once"
        return [status.task_id, status.run_status, status.params, status.user_context]

    task = decorate(tell, max_retry_times=1)
    task.consume()
    status = task.publisher.get_future(5).result(60)
    assert status.result == [status.task_id, "running", {"x": 5}, {"seen": 5}]


def test_parameters_of_many_calls_are_published(decorate):
    task = decorate(divide)
    assert len(task.multi_process_pub_params_list([{"x": 1, "y": 2}] * 3, process_num=2)) == 3
    assert task.get_message_count() == 3


def test_waiting_for_several_queues(decorate):
    done, waits = decorate(divide), decorate(divide)
    waits.push(1, 2)
    wait = fsdf.wait_for_possible_has_finish_all_tasks_by_conusmer_list
    assert not wait([done.consumer, waits.consumer], minutes=0.001, timeout=0.2)
    waits.consume()
    assert wait([done.consumer, waits.consumer], minutes=0.001, timeout=60)


def test_a_publisher_without_the_function(queue_name):
    params = fsdf.PublisherParams(queue_name=queue_name, broker_kind=BrokerEnum.MEMORY_QUEUE)
    get_publisher(params).push(order=7)
    assert get_publisher(params).get_message_count() == 1


def test_the_preset_that_shows_everything(queue_name):
    params = BoosterParamsComplete(queue_name=queue_name, rpc_timeout=5)
    assert params.broker_kind == "RABBITMQ_AMQPSTORM"
    assert params.is_using_rpc_mode
    assert params.function_result_status_persistance_conf.is_save_result
    assert BoosterParamsComplete(queue_name=queue_name, qps=3).concurrent_num == 500


def test_every_public_name_can_be_had():
    for name in fsdf.__all__:
        assert getattr(fsdf, name) is not None
