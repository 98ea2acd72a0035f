"""What parameters and options do, through the decorator, on the memory queue and on SQLite."""

import datetime
import os
import time

import pytest

from fsdf import (
    BrokerEnum,
    ConcurrentModeEnum,
    TaskOptions,
)

PATIENCE = 30.0


@pytest.fixture(
    params=[os.environ.get("FSDF_TESTS_MODE", ConcurrentModeEnum.THREADING), ConcurrentModeEnum.SINGLE_THREAD]
)
def mode(request):
    return request.param


def delayed(decorate, happened, kind, mode):
    """Run one task at once, one after a countdown, one at a time; return how late the second and the third were."""
    task = decorate(lambda x: happened(x), broker_kind=kind, concurrent_mode=mode)
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1.5)
    task.publish({"x": "eta"}, task_options=TaskOptions(eta=soon))
    published = time.time()
    task.publish({"x": "countdown"}, priority_control_config=TaskOptions(countdown=0.5))
    task.push("now")
    task.consume()
    assert happened.expect(3) == ["now", "countdown", "eta"]
    return [happened.when[1] - published - 0.5, happened.when[2] - soon.timestamp()]


def test_countdown_and_eta(decorate, happened, kind, mode):
    countdown, eta = delayed(decorate, happened, kind, mode)
    assert countdown > -0.001  # a time of publication has a tenth of a millisecond
    assert eta > -0.05


@pytest.mark.realtime
def test_countdown_and_eta_are_not_late(decorate, happened, kind, mode):
    assert max(delayed(decorate, happened, kind, mode)) < 0.3


def test_a_queue_without_delay_waits_in_the_consumer(decorate, happened):
    task = decorate(lambda x: happened(x), broker_kind=BrokerEnum.PERSISTQUEUE)
    began = time.time()
    task.publish({"x": "later"}, task_options=TaskOptions(countdown=0.5))
    task.push("now")
    task.consume()
    assert happened.expect(2) == ["now", "later"]
    assert 0.5 <= happened.when[1] - began < 5.0


def test_what_misfired_is_dropped(decorate, happened, emptied):
    task = decorate(lambda x: happened(x))
    late = datetime.datetime.now() - datetime.timedelta(seconds=60)  # noqa: DTZ005 - a naive time is the subject
    task.publish({"x": "too late"}, task_options=TaskOptions(eta=late, misfire_grace_time=30))
    task.publish({"x": "late"}, task_options=TaskOptions(eta=late, misfire_grace_time=90))
    task.publish({"x": "whenever"}, task_options=TaskOptions(eta=late))
    task.consume()
    assert sorted(happened.expect(2)) == ["late", "whenever"]
    assert emptied(task)
    assert len(happened.what) == 2


def test_expiry_of_function_and_message(decorate, happened, kind, emptied):
    task = decorate(lambda x: happened(x), broker_kind=kind, msg_expire_seconds=100)
    old = time.time() - 200
    task.publish({"x": "old"}, task_options=TaskOptions(publish_time=old))
    task.publish({"x": "old, but for ever"}, task_options=TaskOptions(publish_time=old, msg_expire_seconds=0))
    task.publish({"x": "short"}, task_options=TaskOptions(publish_time=time.time() - 2, msg_expire_seconds=1))
    task.push("new")
    task.consume()
    happened.expect(2)
    assert emptied(task)
    assert sorted(happened.what) == ["new", "old, but for ever"]


def test_an_option_of_the_message_works_without_the_functions(decorate, happened, emptied):
    task = decorate(lambda x: happened(x))
    task.publish({"x": 1}, task_options=TaskOptions(publish_time=time.time() - 5, msg_expire_seconds=1))
    for _ in range(3):
        task.publish({"x": 2}, task_options=TaskOptions(do_task_filtering=True))
    task.push(3)
    task.consume()
    happened.expect(2)
    assert emptied(task)
    assert sorted(happened.what) == [2, 3]


def test_filtering_counts_successes_only_and_can_be_cleared(decorate, happened, kind, emptied):
    fails = {"fail": 1}

    def f(x):
        happened(x)
        if fails.pop(x, 0):
            raise ValueError(x)

    task = decorate(f, broker_kind=kind, do_task_filtering=True, max_retry_times=0)
    task.push("fail")
    task.consume()
    assert emptied(task)
    task.push("fail")
    assert emptied(task)
    task.push("fail")
    assert emptied(task)
    task.publish({"x": "fail"}, task_options=TaskOptions(do_task_filtering=False))
    assert emptied(task)
    assert happened.what == ["fail"] * 3  # failed, succeeded, unfiltered
    task.clear_filter_tasks()
    task.push("fail")
    assert emptied(task)
    assert len(happened.what) == 4


def test_filter_str_stands_for_the_arguments(decorate, happened, emptied):
    task = decorate(lambda x: happened(x), do_task_filtering=True, concurrent_mode=ConcurrentModeEnum.SINGLE_THREAD)
    for x in range(3):
        task.publish({"x": x}, task_options=TaskOptions(filter_str="same"))
    task.consume()
    assert emptied(task)
    assert len(happened.what) == 1
