"""What parameters do about failures, pauses, kills, windows, batches and hooks."""

import datetime
import logging
import os
import threading
import time

import pytest

from fsdf import (
    BrokerEnum,
    ConcurrentModeEnum,
    ExceptionForPushToDlxqueue,
    RemoteTaskKiller,
    TaskOptions,
    fct,
)
from fsdf_core.errors import ConfigurationError, UnsupportedFeature
from fsdf_core.waiting import wait_until

PATIENCE = 30.0


class Ran:
    """Collects what happened; `expect(n)` waits for n."""

    def __init__(self):
        self.what = []
        self.when = []
        self.changed = threading.Condition()

    def __call__(self, what):
        with self.changed:
            self.what.append(what)
            self.when.append(time.time())
            self.changed.notify_all()

    def expect(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.what) >= count, PATIENCE), self.what
        return self.what


def let_others_run():
    """A greenlet that never yields cannot be stopped; a thread can."""
    if "FSDF_TESTS_MODE" in os.environ:
        time.sleep(0)


def test_timeouts_of_function_and_message(decorate, happened, caplog, emptied):
    def f(x):
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            let_others_run()
        happened(x)

    task = decorate(f, function_timeout=0.05, max_retry_times=0)
    task.push("stopped")
    task.publish({"x": "free"}, task_options=TaskOptions(function_timeout=0))
    task.consume()
    happened.expect(1)
    assert emptied(task)
    assert happened.what == ["free"]
    assert "TaskTimeout" in caplog.text
    other = decorate(f, max_retry_times=0)
    other.publish({"x": "stopped, too"}, task_options=TaskOptions(function_timeout=0.05))
    other.consume()
    assert emptied(other)
    assert happened.what == ["free"]


@pytest.mark.parametrize("retry_mode", ["sleep", "requeue"])
def test_advanced_retry(decorate, happened, kind, retry_mode, emptied):
    def f():
        happened(fct.attempt)
        raise ValueError

    config = {"retry_mode": retry_mode, "retry_base_interval": 0.1, "retry_multiplier": 2}
    task = decorate(
        f, broker_kind=kind, is_using_advanced_retry=True, advanced_retry_config=config, max_retry_times=2,
        is_push_to_dlx_queue_when_retry_max_times=True,
    )  # fmt: skip
    task.push()
    task.consume()
    assert happened.expect(3) == [1, 2, 3]
    first, second, third = happened.when
    assert second - first >= 0.09
    assert third - second >= 0.19
    assert emptied(task)
    (dead,) = task.dead_letters().list()
    assert dead.error == "ValueError"
    assert dead.attempts == 3


@pytest.mark.parametrize(
    "config", [{"retry_mode": "dance"}, {"interval": 1}, {"retry_base_interval": -1}, {"retry_multiplier": "x"}]
)
def test_a_wrong_retry_config_is_refused(decorate, config):
    task = decorate(lambda: None, is_using_advanced_retry=True, advanced_retry_config=config)
    with pytest.raises(ConfigurationError):
        task.consume()


def test_dead_letters_are_listed_and_replayed(decorate, happened, kind, emptied):
    broken = [True]

    def f(x):
        if broken:
            raise ExceptionForPushToDlxqueue("not now")
        happened(x)

    task = decorate(f, broker_kind=kind)
    ids = {task.push(x).task_id for x in range(3)}
    task.consume()
    assert emptied(task)
    letters = task.dead_letters()
    assert {dead.task_id for dead in letters.list()} == ids
    assert {dead.reason for dead in letters.list()} == {"not now"}
    broken.clear()
    assert letters.replay() == 3
    assert sorted(happened.expect(3)) == [0, 1, 2]
    assert letters.count() == 0


def test_pause_and_continue(decorate, happened, kind):
    task = decorate(lambda x: happened(x), broker_kind=kind)
    task.pause_consume()
    task.consume()
    task.push(1)
    threading.Event().wait(0.6)
    assert happened.what == []
    task.continue_consume()
    began = time.monotonic()
    happened.expect(1)
    assert time.monotonic() - began < 1.5
    task.pause()
    threading.Event().wait(1.0)
    task.push(2)
    threading.Event().wait(0.3)
    assert happened.what == [1]
    task.stop()
    task.consume()  # a restart changes nothing
    threading.Event().wait(0.3)
    assert happened.what == [1]
    task.continue_consume()
    assert happened.expect(2) == [1, 2]


def test_remote_kill(decorate, happened, kind, emptied):
    entered = threading.Event()

    def f(x):
        entered.set()
        while x != "ends":
            let_others_run()
        happened(x)

    task = decorate(f, broker_kind=kind, is_support_remote_kill_task=True, concurrent_num=1)
    running = task.push("runs")
    waiting = task.push("waits")
    RemoteTaskKiller(task.queue_name, waiting.task_id).send_kill_remote_task_comd()
    task.consume()
    assert entered.wait(PATIENCE)
    began = time.monotonic()
    RemoteTaskKiller(task.queue_name, running.task_id).send_kill()
    task.push("ends")
    assert happened.expect(1) == ["ends"]
    assert time.monotonic() - began < 2.5
    assert emptied(task)


def test_times_of_the_day(decorate, happened):
    def shifted(hours):
        return (datetime.datetime.now() + datetime.timedelta(hours=hours)).strftime("%H:%M:%S")  # noqa: DTZ005

    closed = decorate(
        lambda x: happened(x), is_do_not_run_by_specify_time_effect=True,
        do_not_run_by_specify_time=(shifted(-1), shifted(1)),
    )  # fmt: skip
    open_ = decorate(
        lambda x: happened(x), is_do_not_run_by_specify_time_effect=True,
        do_not_run_by_specify_time=(shifted(1), shifted(2)),
    )  # fmt: skip
    cron = decorate(lambda x: happened(x), allow_run_time_cron="* * * * *")
    for task, x in ((closed, "closed"), (open_, "open"), (cron, "cron")):
        task.push(x)
        task.consume()
    assert sorted(happened.expect(2)) == ["cron", "open"]
    assert closed.publisher.queue().size() == (1, 0, 0)


def test_micro_batches(decorate, happened, emptied):
    task = decorate(lambda calls: happened([call["x"] for call in calls]), micro_batch_size=10, micro_batch_timeout=0.2)
    task.publish_many({"x": x} for x in range(25))
    task.push(x=25)
    task.consume()
    happened.expect(3)
    assert emptied(task)
    assert sorted(x for batch in happened.what for x in batch) == list(range(26))
    assert max(map(len, happened.what)) == 10


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_hook_hears_of_each_task(decorate, asynchronous):
    heard = []

    def note(status):
        heard.append(status)

    async def note_later(status):
        note(status)

    def f(x):
        return 1 / x

    task = decorate(f, user_custom_record_process_info_func=note_later if asynchronous else note, max_retry_times=1)
    ids = [task.push(x).task_id for x in (2, 0)]
    task.consume()
    assert wait_until(lambda: len(heard) == 2, PATIENCE)
    good, bad = sorted(heard, key=lambda status: not status.success)
    assert (good.task_id, good.result, good.run_times, good.params) == (ids[0], 0.5, 1, {"x": 2})
    assert good.function == "f"
    assert (bad.task_id, bad.exception_type, bad.run_times, bad.queue_name) == (
        ids[1], "ZeroDivisionError", 2, task.queue_name,
    )  # fmt: skip


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_an_error_without_a_text_is_an_error_like_others(decorate, happened, emptied):
    def f():
        happened("ran")
        raise Unprintable

    task = decorate(f, concurrent_mode=ConcurrentModeEnum.SINGLE_THREAD, max_retry_times=1)
    task.push_many([()] * 2)
    task.consume()
    assert happened.expect(4) == ["ran"] * 4
    assert emptied(task)


def test_one_message_may_ask_for_brief_errors(decorate, caplog, emptied):
    def f(x):
        raise ValueError(x)

    task = decorate(f, max_retry_times=0)
    with caplog.at_level(logging.ERROR):
        task.publish({"x": "brief"}, task_options=TaskOptions(is_print_detail_exception=False))
        task.consume()
        assert emptied(task)
        assert "ValueError: brief" in caplog.text
        assert "Traceback" not in caplog.text
        task.push("long")
        assert emptied(task)
        assert "Traceback" in caplog.text


def test_a_shared_rate(decorate, happened):
    task = decorate(lambda x: happened(x), qps=20, is_using_distributed_frequency_control=True)
    task.push_many((x,) for x in range(40))
    began = time.time()
    task.consume()
    happened.expect(20)
    assert happened.when[19] - began >= 0.8


def test_priorities_need_a_broker_that_has_them(decorate):
    task = decorate(lambda x: None, broker_kind=BrokerEnum.PERSISTQUEUE)
    with pytest.raises(UnsupportedFeature, match="has no priorities"):
        task.publish({"x": 1}, task_options=TaskOptions(priority=3))
    with pytest.raises(UnsupportedFeature, match="has no priorities"):
        task.publish_many([{"x": 1}], task_options=TaskOptions(other_extra_params={"priroty": 3}))
    assert task.get_message_count() == 0


def test_batches_carry_priorities(decorate, happened):
    task = decorate(lambda x: happened(x), concurrent_mode=ConcurrentModeEnum.SINGLE_THREAD)
    task.publish_many([{"x": 1}, {"x": 2}])
    task.publish_many([{"x": 3}, {"x": 4}], task_options=TaskOptions(priority=5))
    task.consume()
    assert happened.expect(4) == [3, 4, 1, 2]
