"""When a consumer enlists, what it tells, and that it costs nothing where nobody can look."""

import os
import threading

import pytest

from fsdf import BoosterParams, BrokerEnum
from fsdf.description import known_queue, without_secrets
from fsdf_core import registry
from fsdf_core.roster import Roster
from fsdf_core.settings import get_settings, patch_frame_config
from fsdf_core.waiting import wait_until


def roster():
    return Roster(registry.open_state(get_settings()))


def greet(name: str, times: int = 1, *, unit=object, **rest: float) -> None:
    """A task."""


def test_without_a_place_to_look_nothing_is_opened(decorate):
    task = decorate(greet, broker_kind=BrokerEnum.SQLITE_QUEUE)
    task.consume()
    assert not threading.Event().wait(1.2)
    assert not registry.default_state_file(get_settings()).exists()


def test_it_enlists_when_the_store_appears(decorate):
    task = decorate(greet, concurrent_num=3)
    task.consume()
    patch_frame_config(state_url="memory://")
    assert wait_until(lambda: roster().workers(task.queue_name), 30)
    worker = roster().workers(task.queue_name)[0]
    assert (worker.concurrency, worker.broker_kind, worker.mode) == (3, "MEMORY_QUEUE", "threading")
    assert worker.function == f"{__name__}.greet"
    task.stop()
    assert roster().workers(task.queue_name) == []


def test_the_parameter_asks_for_it_under_its_old_name_too(decorate):
    with pytest.warns(DeprecationWarning, match="heartbeat"):
        task = decorate(greet, is_send_consumer_hearbeat_to_redis=True)
    task.consume()
    assert wait_until(lambda: roster().workers(task.queue_name), 30)
    assert registry.default_state_file(get_settings()).exists()


def test_an_order_ends_the_consumer_which_can_start_again(decorate, happened):
    patch_frame_config(state_url="memory://")
    task = decorate(lambda x: happened(x))
    task.consume()
    assert wait_until(lambda: roster().workers(task.queue_name), 30)
    roster().shut_down(roster().workers(task.queue_name)[0].consumer_id)
    assert wait_until(lambda: not task.consumer.running, 30)
    task.consume()
    task.push(1)
    assert happened.expect(1) == [1]


def test_options_with_secrets_are_not_told():
    options = {"maxsize": 3, "sasl_mechanism": "PLAIN", "password": "x", "url": "amqp://a:b@host", "object": object()}
    assert without_secrets(options) == {"maxsize": 3}


def test_what_is_known_of_a_queue():
    params = BoosterParams(
        queue_name="told", qps=3, user_options={"hook": "secret"}, controls=[], msg_expire_seconds=60, booster_group="g"
    )
    params(greet)
    known = known_queue(params, "SQLITE_QUEUE")
    assert known.params == {"qps": 3, "msg_expire_seconds": 60}
    assert (known.group, known.broker_kind, known.function) == ("g", "SQLITE_QUEUE", f"{__name__}.greet")
    assert known.parameters == (
        {"name": "name", "required": True, "annotation": "str"},
        {"name": "times", "required": False, "default": 1, "annotation": "int"},
        {"name": "unit", "required": False},
        {"name": "rest", "required": False, "variadic": "kwargs", "annotation": "float"},
    )


class Mailer:
    def __init__(self):
        self.obj_init_params = {}

    def send(self, address):
        """A method."""


def test_a_method_tells_nothing_of_its_object():
    params = BoosterParams(queue_name="methods")
    params(Mailer.send)
    assert [each["name"] for each in known_queue(params, "").parameters] == ["address"]


def test_names_given_by_hand():
    params = BoosterParams(
        queue_name="by hand",
        manual_func_input_params={
            "is_manual_func_input_params": True,
            "must_arg_name_list": ["a"],
            "optional_arg_name_list": ["b"],
        },
    )
    params(lambda **arguments: None)
    assert known_queue(params, "").parameters == ({"name": "a", "required": True}, {"name": "b", "required": False})


def test_consumers_under_the_names_of_older_versions(decorate):
    from fsdf import ActiveConsumerProcessInfoGetter, ActiveCousumerProcessInfoGetter

    assert ActiveCousumerProcessInfoGetter is ActiveConsumerProcessInfoGetter
    patch_frame_config(state_url="memory://")
    task = decorate(greet)
    task.consume()
    assert wait_until(lambda: roster().workers(task.queue_name), 30)
    getter = ActiveCousumerProcessInfoGetter()
    (told,) = getter.get_all_hearbeat_info_by_queue_name(task.queue_name)
    assert told["queue_name"] == task.queue_name
    assert told["process_id"] == os.getpid()
    assert told["hearbeat_timestamp"] >= told["start_timestamp"]
    ip, here = told["computer_ip"], told["consumer_id"]
    assert here in [each["consumer_id"] for each in getter.get_all_hearbeat_info_by_ip(ip)]
    assert here in [each["consumer_id"] for each in getter.get_all_hearbeat_info_partition_by_ip()[ip]]
    by_queue = getter.get_all_hearbeat_info_partition_by_queue_name()
    assert [each["consumer_id"] for each in by_queue[task.queue_name]] == [here]
