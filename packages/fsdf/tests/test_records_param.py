"""function_result_status_persistance_conf: what a decorated task's runs leave behind."""

import time

import pytest

from fsdf import BoosterParams, FunctionResultStatusPersistanceConfig, fct, patch_frame_config
from fsdf.recorded_result import ResultFromMongo
from fsdf_core import registry
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.records import RecordQuery
from fsdf_core.settings import get_settings
from fsdf_core.waiting import wait_until

SAVE = FunctionResultStatusPersistanceConfig(is_save_status=True, is_save_result=True, expire_seconds=60)


@pytest.fixture
def records():
    store = registry.open_records(get_settings())
    yield store
    store.close()


def test_the_known_names_of_a_task_s_end(decorate, records):
    def add(x, y, password=""):
        fct.user_context["tenant"] = 7
        if x < 0:
            raise ValueError("below")
        return x + y

    task = decorate(add, function_result_status_persistance_conf=SAVE, max_retry_times=1, concurrent_num=1)
    begun = time.time()
    good, bad = task.push(1, 2, password="p4"), task.push(-1, 2)
    assert ResultFromMongo(good.task_id).get_result() is None
    task.consume()
    assert wait_until(lambda: records.how_many(RecordQuery()) == 2, 60)
    status = ResultFromMongo(good.task_id, "any").get_status_and_result()
    assert ResultFromMongo(good.task_id).get_result() == 3
    assert status["msg_dict"].pop("extra")["task_id"] == good.task_id
    assert status["msg_dict"] == status["params"] == {"x": 1, "y": 2, "password": "***"}
    assert begun - 1 < status["publish_time"] <= status["time_start"] <= status["time_end"] < time.time() + 1
    assert status["user_context"] == {"tenant": 7}
    expected = {"function": "add", "queue_name": task.queue_name, "success": True, "run_status": "finish",
                "run_times": 1, "exception": None, "_id": good.task_id}  # fmt: skip
    assert {name: status[name] for name in expected} == expected
    status = ResultFromMongo(bad.task_id).get_status_and_result()
    expected = {"success": False, "result": None, "run_times": 2, "exception": "ValueError    below",
                "exception_type": "ValueError", "exception_msg": "below"}  # fmt: skip
    assert {name: status[name] for name in expected} == expected
    assert records.get(bad.task_id).expires < time.time() + 61


def test_without_results_there_is_none(decorate, records):
    task = decorate(lambda x: x, function_result_status_persistance_conf={"is_save_status": True})
    sent = task.push(1)
    task.consume()
    assert wait_until(lambda: records.how_many(RecordQuery()) == 1, 60)
    assert ResultFromMongo(sent.task_id).get_result() is None


@pytest.mark.parametrize("conf", [None, (False, False, 60), {}, FunctionResultStatusPersistanceConfig()])
def test_nothing_is_recorded_unless_asked_for(decorate, conf, tmp_path):
    task = decorate(lambda x: x, function_result_status_persistance_conf=conf)
    task.push(1)
    task.consume()
    assert wait_until(lambda: task.consumer.statistics().done == 1, 60)
    task.consumer.stop()
    assert not (tmp_path / "home" / "records.sqlite").exists()


@pytest.mark.parametrize(
    ("conf", "match"),
    [
        ({"is_save_result": True}, "is_save_status=True"),
        ((False, True, 60), "is_save_status=True"),
        ({"is_save_status": True, "expire": 5}, "expire"),
        ({"is_save_status": True, "expire_seconds": 0}, "expire_seconds"),
        ("yes", "FunctionResultStatusPersistanceConfig"),
    ],
)
def test_configurations_without_sense(conf, match):
    with pytest.raises(ConfigurationError, match=match):
        BoosterParams(queue_name="q", function_result_status_persistance_conf=conf)


def test_a_store_that_does_not_exist_keeps_the_consumer_from_starting(decorate):
    patch_frame_config(records_url="postgres://me:p4@host/db")
    task = decorate(lambda x: x, function_result_status_persistance_conf=SAVE)
    with pytest.raises(UnknownName, match="record store 'postgres'") as caught:
        task.consume()
    assert "p4" not in str(caught.value)
