"""What parameters and options do, through the decorator, on the memory queue and on SQLite."""

import datetime
import logging
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

PATIENCE = 10


class Ran:
    """Collects what ran; `expect(n)` waits for n."""

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


@pytest.fixture
def ran():
    return Ran()


@pytest.fixture(params=[BrokerEnum.MEMORY_QUEUE, BrokerEnum.SQLITE_QUEUE])
def kind(request):
    return request.param


@pytest.fixture(params=[ConcurrentModeEnum.THREADING, ConcurrentModeEnum.SINGLE_THREAD])
def mode(request):
    return request.param


def emptied(task):
    pause = threading.Event()
    for _ in range(PATIENCE * 100):
        if not task.publisher.queue().size().total:
            return True
        pause.wait(0.01)
    return False


def test_countdown_and_eta(decorate, ran, kind, mode):
    task = decorate(lambda x: ran(x), broker_kind=kind, concurrent_mode=mode)
    began = time.time()
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.9)
    task.publish({"x": "eta"}, task_options=TaskOptions(eta=soon))
    task.publish({"x": "countdown"}, priority_control_config=TaskOptions(countdown=0.5))
    task.push("now")
    task.consume()
    assert ran.expect(3) == ["now", "countdown", "eta"]
    assert 0.5 <= ran.when[1] - began < 0.8
    assert 0.85 <= ran.when[2] - began < 1.2


def test_a_queue_without_delay_waits_in_the_consumer(decorate, ran):
    task = decorate(lambda x: ran(x), broker_kind=BrokerEnum.PERSISTQUEUE)
    began = time.time()
    task.publish({"x": "later"}, task_options=TaskOptions(countdown=0.5))
    task.push("now")
    task.consume()
    assert ran.expect(2) == ["now", "later"]
    assert 0.5 <= ran.when[1] - began < 1.0


def test_what_misfired_is_dropped(decorate, ran):
    task = decorate(lambda x: ran(x))
    late = datetime.datetime.now() - datetime.timedelta(seconds=60)  # noqa: DTZ005 - a naive time is the subject
    task.publish({"x": "too late"}, task_options=TaskOptions(eta=late, misfire_grace_time=30))
    task.publish({"x": "late"}, task_options=TaskOptions(eta=late, misfire_grace_time=90))
    task.publish({"x": "whenever"}, task_options=TaskOptions(eta=late))
    task.consume()
    assert sorted(ran.expect(2)) == ["late", "whenever"]
    assert emptied(task)
    assert len(ran.what) == 2


def test_expiry_of_function_and_message(decorate, ran, kind):
    task = decorate(lambda x: ran(x), broker_kind=kind, msg_expire_seconds=100)
    old = time.time() - 200
    task.publish({"x": "old"}, task_options=TaskOptions(publish_time=old))
    task.publish({"x": "old, but for ever"}, task_options=TaskOptions(publish_time=old, msg_expire_seconds=0))
    task.publish({"x": "short"}, task_options=TaskOptions(publish_time=time.time() - 2, msg_expire_seconds=1))
    task.push("new")
    task.consume()
    ran.expect(2)
    assert emptied(task)
    assert sorted(ran.what) == ["new", "old, but for ever"]


def test_an_option_of_the_message_works_without_the_functions(decorate, ran):
    task = decorate(lambda x: ran(x))
    task.publish({"x": 1}, task_options=TaskOptions(publish_time=time.time() - 5, msg_expire_seconds=1))
    for _ in range(3):
        task.publish({"x": 2}, task_options=TaskOptions(do_task_filtering=True))
    task.push(3)
    task.consume()
    ran.expect(2)
    assert emptied(task)
    assert sorted(ran.what) == [2, 3]


def test_filtering_counts_successes_only_and_can_be_cleared(decorate, ran, kind):
    fails = {"fail": 1}

    def f(x):
        ran(x)
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
    assert ran.what == ["fail"] * 3  # failed, succeeded, unfiltered
    task.clear_filter_tasks()
    task.push("fail")
    assert emptied(task)
    assert len(ran.what) == 4


def test_filter_str_stands_for_the_arguments(decorate, ran):
    task = decorate(lambda x: ran(x), do_task_filtering=True, concurrent_mode=ConcurrentModeEnum.SINGLE_THREAD)
    for x in range(3):
        task.publish({"x": x}, task_options=TaskOptions(filter_str="same"))
    task.consume()
    assert emptied(task)
    assert len(ran.what) == 1


def test_timeouts_of_function_and_message(decorate, ran, caplog):
    def f(x):
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            pass
        ran(x)

    task = decorate(f, function_timeout=0.05, max_retry_times=0)
    task.push("stopped")
    task.publish({"x": "free"}, task_options=TaskOptions(function_timeout=0))
    task.consume()
    ran.expect(1)
    assert emptied(task)
    assert ran.what == ["free"]
    assert "TaskTimeout" in caplog.text
    other = decorate(f, max_retry_times=0)
    other.publish({"x": "stopped, too"}, task_options=TaskOptions(function_timeout=0.05))
    other.consume()
    assert emptied(other)
    assert ran.what == ["free"]


@pytest.mark.parametrize("retry_mode", ["sleep", "requeue"])
def test_advanced_retry(decorate, ran, kind, retry_mode):
    def f():
        ran(fct.attempt)
        raise ValueError

    config = {"retry_mode": retry_mode, "retry_base_interval": 0.1, "retry_multiplier": 2}
    task = decorate(
        f, broker_kind=kind, is_using_advanced_retry=True, advanced_retry_config=config, max_retry_times=2,
        is_push_to_dlx_queue_when_retry_max_times=True,
    )  # fmt: skip
    task.push()
    task.consume()
    assert ran.expect(3) == [1, 2, 3]
    first, second, third = ran.when
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


def test_dead_letters_are_listed_and_replayed(decorate, ran, kind):
    broken = [True]

    def f(x):
        if broken:
            raise ExceptionForPushToDlxqueue("not now")
        ran(x)

    task = decorate(f, broker_kind=kind)
    ids = {task.push(x).task_id for x in range(3)}
    task.consume()
    assert emptied(task)
    letters = task.dead_letters()
    assert {dead.task_id for dead in letters.list()} == ids
    assert {dead.reason for dead in letters.list()} == {"not now"}
    broken.clear()
    assert letters.replay() == 3
    assert sorted(ran.expect(3)) == [0, 1, 2]
    assert letters.count() == 0


def test_pause_and_continue(decorate, ran, kind):
    task = decorate(lambda x: ran(x), broker_kind=kind)
    task.pause_consume()
    task.consume()
    task.push(1)
    threading.Event().wait(0.6)
    assert ran.what == []
    task.continue_consume()
    began = time.monotonic()
    ran.expect(1)
    assert time.monotonic() - began < 1.5
    task.pause()
    threading.Event().wait(1.0)
    task.push(2)
    threading.Event().wait(0.3)
    assert ran.what == [1]
    task.stop()
    task.consume()  # a restart changes nothing
    threading.Event().wait(0.3)
    assert ran.what == [1]
    task.continue_consume()
    assert ran.expect(2) == [1, 2]


def test_remote_kill(decorate, ran, kind):
    entered = threading.Event()

    def f(x):
        entered.set()
        while True:
            if x == "ends":
                ran(x)
                return

    task = decorate(f, broker_kind=kind, is_support_remote_kill_task=True, concurrent_num=1)
    running = task.push("runs")
    waiting = task.push("waits")
    RemoteTaskKiller(task.queue_name, waiting.task_id).send_kill_remote_task_comd()
    task.consume()
    assert entered.wait(PATIENCE)
    began = time.monotonic()
    RemoteTaskKiller(task.queue_name, running.task_id).send_kill()
    task.push("ends")
    assert ran.expect(1) == ["ends"]
    assert time.monotonic() - began < 2.5
    assert emptied(task)


def test_times_of_the_day(decorate, ran):
    def shifted(hours):
        return (datetime.datetime.now() + datetime.timedelta(hours=hours)).strftime("%H:%M:%S")  # noqa: DTZ005

    closed = decorate(
        lambda x: ran(x), is_do_not_run_by_specify_time_effect=True,
        do_not_run_by_specify_time=(shifted(-1), shifted(1)),
    )  # fmt: skip
    open_ = decorate(
        lambda x: ran(x), is_do_not_run_by_specify_time_effect=True,
        do_not_run_by_specify_time=(shifted(1), shifted(2)),
    )  # fmt: skip
    cron = decorate(lambda x: ran(x), allow_run_time_cron="* * * * *")
    for task, x in ((closed, "closed"), (open_, "open"), (cron, "cron")):
        task.push(x)
        task.consume()
    assert sorted(ran.expect(2)) == ["cron", "open"]
    assert closed.publisher.queue().size() == (1, 0, 0)


def test_micro_batches(decorate, ran):
    task = decorate(lambda calls: ran([call["x"] for call in calls]), micro_batch_size=10, micro_batch_timeout=0.2)
    task.publish_many({"x": x} for x in range(25))
    task.push(x=25)
    task.consume()
    ran.expect(3)
    assert emptied(task)
    assert sorted(x for batch in ran.what for x in batch) == list(range(26))
    assert max(map(len, ran.what)) == 10


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_hook_hears_of_each_task(decorate, asynchronous):
    heard, all_heard = [], threading.Event()

    def note(status):
        heard.append(status)
        if len(heard) == 2:
            all_heard.set()

    async def note_later(status):
        note(status)

    def f(x):
        return 1 / x

    task = decorate(f, user_custom_record_process_info_func=note_later if asynchronous else note, max_retry_times=1)
    ids = [task.push(x).task_id for x in (2, 0)]
    task.consume()
    assert all_heard.wait(PATIENCE)
    good, bad = sorted(heard, key=lambda status: not status.success)
    assert (good.task_id, good.result, good.run_times, good.params) == (ids[0], 0.5, 1, {"x": 2})
    assert (bad.task_id, bad.exception_type, bad.run_times, bad.queue_name) == (
        ids[1], "ZeroDivisionError", 2, task.queue_name,
    )  # fmt: skip


def test_one_message_may_ask_for_brief_errors(decorate, caplog):
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


def test_a_shared_rate(decorate, ran):
    task = decorate(lambda x: ran(x), qps=20, is_using_distributed_frequency_control=True)
    task.push_many((x,) for x in range(40))
    began = time.time()
    task.consume()
    ran.expect(20)
    assert ran.when[19] - began >= 0.8


def test_priorities_need_a_broker_that_has_them(decorate):
    task = decorate(lambda x: None, broker_kind=BrokerEnum.PERSISTQUEUE)
    with pytest.raises(UnsupportedFeature, match="has no priorities"):
        task.publish({"x": 1}, task_options=TaskOptions(priority=3))
    with pytest.raises(UnsupportedFeature, match="has no priorities"):
        task.publish_many([{"x": 1}], task_options=TaskOptions(other_extra_params={"priroty": 3}))
    assert task.get_message_count() == 0


def test_batches_carry_priorities(decorate, ran):
    task = decorate(lambda x: ran(x), concurrent_mode=ConcurrentModeEnum.SINGLE_THREAD)
    task.publish_many([{"x": 1}, {"x": 2}])
    task.publish_many([{"x": 3}, {"x": 4}], task_options=TaskOptions(priority=5))
    task.consume()
    assert ran.expect(4) == [3, 4, 1, 2]
