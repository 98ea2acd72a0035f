"""push, publish and their batches: what reaches the queue, and what is refused."""

from __future__ import annotations

import json
import uuid

import pytest

from fsdf import AsyncResult, TaskOptions
from fsdf_core.broker import Broker
from fsdf_core.codec import as_sent
from fsdf_core.control import Control
from fsdf_core.errors import ConfigurationError, EncodeError, UnsupportedFeature


def f(x, y=1): ...


@pytest.fixture
def came_first():
    """Return a function that receives so many messages of a task and tells their x, in order."""

    def receive(task, count):
        subscription = task.publisher.queue().subscribe("c", count)
        try:
            return [as_sent(delivery.body)["x"] for delivery in subscription.receive(count, 5)]
        finally:
            subscription.close()

    return receive


def test_a_push_carries_names_and_control_data(decorate, bodies):
    task = decorate(f)
    result = task.push(1, y=2)
    (body,) = bodies(task)
    extra = body.pop("extra")
    assert body == {"x": 1, "y": 2}
    assert extra["task_id"] == result.task_id
    assert uuid.UUID(result.task_id).version == 7
    assert set(extra) == {"task_id", "publish_time", "publish_time_format"}


def test_defaults_are_left_to_the_consumer(decorate, bodies):
    task = decorate(f)
    task.push(1)
    assert "y" not in bodies(task)[0]


def test_a_result_that_nobody_asked_for(decorate):
    result = decorate(f).push(1)
    assert result == AsyncResult(result.task_id)
    assert len({result, AsyncResult(result.task_id)}) == 1
    assert repr(result) == f"AsyncResult({result.task_id!r})"
    for ask in (
        result.get,
        result.is_pending,
        result.is_success,
        lambda: result.result,
        lambda: result.set_callback(f),
    ):
        with pytest.raises(ConfigurationError, match=f"{result.task_id}.*is_using_rpc_mode=True"):
            ask()


@pytest.mark.parametrize("spelling", ["publish", "pub", "apply_async"])
def test_publish_takes_a_dict_or_json(decorate, bodies, spelling):
    task = decorate(f)
    getattr(task, spelling)({"x": 1})
    getattr(task, spelling)(json.dumps({"x": 2}))
    getattr(task, spelling)(json.dumps({"x": 3}).encode())
    assert [body["x"] for body in bodies(task)] == [1, 2, 3]


def test_delay_is_push(decorate, bodies):
    task = decorate(f)
    task.delay(1, y=3)
    assert bodies(task)[0]["y"] == 3


def test_options_go_before_the_message_and_the_id_before_both(decorate, bodies):
    task = decorate(f)
    message = {"x": 1, "extra": {"task_id": "mine", "max_retry_times": 1, "more": 2}}
    assert task.publish(message).task_id == "mine"
    assert task.publish(message, task_options=TaskOptions(task_id="o", max_retry_times=0)).task_id == "o"
    assert task.publish(message, 7, priority_control_config=TaskOptions(task_id="o")).task_id == "7"
    extras = [body["extra"] for body in bodies(task)]
    assert [extra["max_retry_times"] for extra in extras] == [1, 0, 1]
    assert [extra["task_id"] for extra in extras] == ["mine", "o", "7"]
    assert message == {"x": 1, "extra": {"task_id": "mine", "max_retry_times": 1, "more": 2}}


def test_options_may_stamp_the_time(decorate, bodies):
    task = decorate(f)
    task.publish({"x": 1}, task_options=TaskOptions(publish_time=5.0, publish_time_format="then"))
    extra = bodies(task)[0]["extra"]
    assert (extra["publish_time"], extra["publish_time_format"]) == (5.0, "then")


def test_higher_priorities_come_first(decorate, bodies):
    task = decorate(f)
    task.publish({"x": 0})
    task.publish({"x": 1}, task_options=TaskOptions(priority=1))
    task.publish({"x": 2}, task_options=TaskOptions(other_extra_params={"priroty": 2}))
    assert [body["x"] for body in bodies(task)] == [2, 1, 0]


def test_a_priority_among_the_control_data_counts_wherever_it_comes_from(decorate, came_first):
    task = decorate(lambda x: None)
    task.publish({"x": "low"})
    task.publish({"x": "high", "extra": {"priority": 9}})
    task.publisher.publish_packed({"x": "higher"}, {"other_extra_params": {"priroty": 10}}, None)
    assert came_first(task, 3) == ["higher", "high", "low"]


def test_a_priority_needs_a_broker_that_has_some(decorate, monkeypatch):
    task = decorate(f)
    broker: Broker = task.publisher.queue().broker
    import dataclasses

    monkeypatch.setattr(type(broker), "capabilities", dataclasses.replace(type(broker).capabilities, priority=False))
    with pytest.raises(UnsupportedFeature, match="MemoryBroker has no priorities"):
        task.publish({"x": 1}, task_options=TaskOptions(priority=1))
    assert task.get_message_count() == 0


def test_many_calls_in_one_go(decorate, bodies):
    task = decorate(f)
    results = task.push_many([(1,), [2, 3], {"x": 4, "y": 5}])
    results += task.publish_many([{"x": 6}, '{"x": 7}'], task_options=TaskOptions(max_retry_times=0))
    taken = bodies(task)
    extras = [body.pop("extra") for body in taken]
    assert taken == [{"x": 1}, {"x": 2, "y": 3}, {"x": 4, "y": 5}, {"x": 6}, {"x": 7}]
    assert [extra["task_id"] for extra in extras] == [result.task_id for result in results]
    assert [extra.get("max_retry_times") for extra in extras] == [None] * 3 + [0] * 2


def test_wrong_batches_are_refused(decorate):
    task = decorate(f)
    with pytest.raises(TypeError, match=r"not 5: write \(5,\)"):
        task.push_many([5])
    with pytest.raises(TypeError, match="misses x"):
        task.push_many([{"y": 5}])
    with pytest.raises(ConfigurationError, match="countdown or eta, not both"):
        task.publish_many([{"x": 1}], task_options=TaskOptions(countdown=1, eta="2030-01-01"))
    assert task.get_message_count() == 0


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, r"f\(x, y=1\) misses x: nothing was published"),
        ((1, 2, 3), {}, "takes 2 positional argument.s., 3 were given"),
        ((1,), {"x": 2}, "got x by position and by name"),
        ((1,), {"z": 2}, "does not take z"),
        ((), {"z": 2}, "misses x and does not take z"),
    ],
)
def test_a_wrong_call_raises_where_it_is_pushed(decorate, args, kwargs, message):
    task = decorate(f)
    with pytest.raises(TypeError, match=message):
        task.push(*args, **kwargs)
    if not args:
        with pytest.raises(TypeError, match=message):
            task.publish(kwargs)
    assert task.get_message_count() == 0


@pytest.mark.parametrize("message", [[1], "[1]", 5, None])
def test_a_message_is_an_object(decorate, message):
    with pytest.raises(TypeError, match="a message is a dict"):
        decorate(f).publish(message)


def test_control_data_is_an_object(decorate):
    with pytest.raises(TypeError, match="'extra' is a dict of control data, not 5"):
        decorate(f).publish({"x": 1, "extra": 5})


def test_json_that_is_none_is_refused(decorate):
    with pytest.raises(ValueError, match="must be JSON of the function's arguments: Expecting"):
        decorate(f).publish("{")


def test_signatures_of_every_sort(decorate, bodies):
    def everything(a, /, b, *rest, c, d=4, **more): ...

    task = decorate(everything)
    task.push(1, 2, c=3, e=5)
    task.publish({"a": 1, "b": 2, "c": 3, "f": 6})
    taken = bodies(task)
    for body in taken:
        del body["extra"]
    assert taken == [{"a": 1, "b": 2, "c": 3, "e": 5}, {"a": 1, "b": 2, "c": 3, "f": 6}]
    with pytest.raises(TypeError, match=r"\*args cannot be sent"):
        task.push(1, 2, 3, c=3)
    with pytest.raises(TypeError, match="misses c"):
        task.push(1, 2)


def test_unchecked_arguments_pass(decorate, bodies):
    task = decorate(f, should_check_publish_func_params=False)
    task.push(1, z=3)
    task.publish({"q": 1})
    assert [set(body) - {"extra"} for body in bodies(task)] == [{"x", "z"}, {"q"}]
    with pytest.raises(TypeError, match="3 were given"):
        task.push(1, 2, 3)


def test_names_by_hand(decorate, bodies):
    names = {
        "is_manual_func_input_params": True,
        "must_arg_name_list": ["x"],
        "optional_arg_name_list": ["y"],
    }
    task = decorate(lambda **kwargs: None, manual_func_input_params=names)
    task.push(1, 2)
    assert {"x": 1, "y": 2}.items() <= bodies(task)[0].items()
    with pytest.raises(TypeError, match="misses x"):
        task.push(y=2)


def test_an_argument_that_is_no_json_is_named(decorate):
    task = decorate(f, broker_exclusive_config={"serialize": True})
    with pytest.raises(EncodeError, match="argument 'y' .object. is not JSON data"):
        task.push(1, y=object())


def test_memory_hands_objects_over_as_they_are(decorate, bodies):
    task, thing = decorate(f), object()
    task.push(thing)
    assert bodies(task)[0]["x"] is thing


def test_a_raw_message_is_sent_as_it_is(decorate):
    task = decorate(f)
    task.publisher.send_msg({"x": 1})
    task.publisher.send_msg("no json")
    subscription = task.publisher.queue().subscribe("test", 10)
    assert [delivery.body for delivery in subscription.receive(10, 0)] == [b'{"x": 1}', b"no json"]
    subscription.close()


def test_clear_and_count(decorate):
    task = decorate(f)
    task.push(1)
    assert task.get_message_count() == 1
    task.clear()
    assert task.get_message_count() == 0
    task.clear_queue()


def test_the_users_controls_see_messages_when_they_are_published(decorate, bodies):
    class Stamp(Control):
        def on_publish(self, message):
            message.extra["by"] = "me"

    task = decorate(f, controls=[Stamp()])
    task.push(1)
    assert bodies(task)[0]["extra"]["by"] == "me"


def test_full_messages_are_logged_if_asked_for(decorate, caplog):
    task = decorate(f, publish_msg_log_use_full_msg=True)
    task.push(1, y="two")
    assert "{'x': 1, 'y': 'two'}" in caplog.text
