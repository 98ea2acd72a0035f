"""Every field of `FunctionResultStatus` that users know can be read, wherever they meet one."""

from __future__ import annotations

import datetime
import queue
import sys
from pathlib import Path

import pytest

from fsdf import FunctionResultStatus, fct
from fsdf_core.record_status import status_of
from fsdf_core.records import TaskRecord

PATIENCE = 60
KNOWN = [
    "host_process", "host_name", "script_name", "script_name_long", "queue_name", "function", "msg_dict", "task_id",
    "_id", "publish_time", "publish_time_format", "process_id", "thread_id", "total_thread", "params", "params_str",
    "result", "run_times", "exception", "exception_type", "exception_msg", "rpc_chain_error_msg_dict", "time_start",
    "time_end", "time_cost", "success", "run_status", "rpc_result_expire_seconds", "user_context", "insert_time",
    "insert_time_str", "insert_minutes", "utime", "_has_requeue", "_has_to_dlx_queue", "_has_kill_task",
]  # fmt: skip


def check(status: FunctionResultStatus) -> None:
    told = status.get_status_dict()
    for name in KNOWN:
        assert told[name] == getattr(status, name), name
    stored = datetime.datetime.strptime(f"{status.insert_time_str}+0000", "%Y-%m-%d %H:%M:%S%z")
    assert 0 <= status.insert_time - stored.timestamp() < 1
    assert status.insert_time_str.startswith(status.insert_minutes)
    assert status.script_name_long == sys.argv[0]
    assert Path(status.script_name_long).name == status.script_name


@pytest.fixture(autouse=True)
def _zone(monkeypatch):
    monkeypatch.setenv("FSDF_TIMEZONE", "UTC")


def divide(x, y):
    check(fct.function_result_status)
    return x / y


@pytest.mark.parametrize(
    "more", [{}, {"is_push_to_dlx_queue_when_retry_max_times": True}], ids=["failed", "dead letter"]
)
def test_a_task_that_fails(decorate, more):
    told = queue.SimpleQueue()
    task = decorate(
        divide, is_using_rpc_mode=True, max_retry_times=0, user_custom_record_process_info_func=told.put, **more
    )
    result = task.push(1, 0)
    task.consume()
    observed = told.get(timeout=PATIENCE)
    answered = result.set_timeout(PATIENCE).status_and_result_obj
    for status in (observed, answered):
        check(status)
        assert status.exception_type == "ZeroDivisionError"
        assert status._has_to_dlx_queue is bool(more)
        assert not status._has_requeue
    assert observed.total_thread >= 1
    assert set(KNOWN) <= result.status_and_result.keys()
    task.stop(PATIENCE)


def test_a_task_that_returns(decorate):
    task = decorate(divide, is_using_rpc_mode=True)
    result = task.push(6, 3)
    task.consume()
    check(result.set_timeout(PATIENCE).status_and_result_obj)
    assert result.result == 2
    task.stop(PATIENCE)


def test_an_argument_that_cannot_be_copied(decorate):
    told = queue.SimpleQueue()
    task = decorate(lambda x: None, queue_name="locks", user_custom_record_process_info_func=told.put)
    lock = queue.SimpleQueue()
    task.push(lock)
    task.consume()
    assert told.get(timeout=PATIENCE).get_status_dict()["params"]["x"] is lock
    task.stop(PATIENCE)


def test_a_record():
    assert set(KNOWN) <= status_of(TaskRecord("t", "q", "f", "success", 1e9, 1e9, 1e9)).keys()
