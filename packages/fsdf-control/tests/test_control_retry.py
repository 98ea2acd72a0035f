"""Retry and its waits."""

import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsdf_control.backoff import Constant, Exponential
from fsdf_control.dead_letter import DeadLetterOnRequest
from fsdf_control.retry import Retry
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.errors import (
    ExceptionForPushToDlxqueue,
    ExceptionForRequeue,
    ExceptionForRetry,
    TaskKilled,
    TaskTimeout,
)
from fsdf_core.message import ATTEMPTS, Message
from fsdf_core.publisher import Publisher
from fsdf_core.verdict import DeadLetter, Fail, Requeue
from fsdf_core.verdict import Retry as RunAgain
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

PLAIN = Message({}, {})
positive = st.floats(0, 1e6)


@pytest.fixture
def queue():
    return MemoryBroker().queue("q", serialize=True)


@pytest.fixture(params=[ShrinkableThreadPoolExecutor, SoloExecutor])
def pool(request):
    with request.param(max_workers=2) as pool:
        yield pool


def empty(queue):
    pause = threading.Event()
    for _ in range(500):
        if not queue.size().total:
            return True
        pause.wait(0.01)
    return False


@pytest.mark.parametrize("options", [{"max_retries": -1}, {"wait": "nowhere"}])
def test_wrong_parameters_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Retry(**options)


@pytest.mark.parametrize("numbers", [{"first": -1}, {"multiplier": 0.5}, {"cap": -1}, {"first": float("nan")}])
def test_wrong_backoffs_are_refused(numbers):
    with pytest.raises(ValueError, match="backoff"):
        Exponential(**numbers)
    with pytest.raises(ValueError, match="at least 0"):
        Constant(-1)


@pytest.mark.parametrize("garbage", ["5", -1, 2.5, [1], {}, True, float("nan"), float("inf"), 10**400])
def test_garbage_in_a_message_is_ignored_and_said_once(garbage, caplog):
    rule = Retry(max_retries=1)
    for _ in range(3):
        assert rule.on_error(Message({}, {"task_id": "t", "max_retry_times": garbage}), ValueError(), 2) == Fail()
    assert len(caplog.records) == 1


def test_counts_and_overrides():
    rule = Retry(max_retries=2)
    assert [rule.on_error(PLAIN, ValueError(), attempt) for attempt in (1, 2, 3)] == [RunAgain(), RunAgain(), Fail()]
    assert rule.on_error(Message({}, {"max_retry_times": 0}), ValueError(), 1) == Fail()
    assert rule.on_error(Message({}, {"max_retry_times": None}), ValueError(), 1) == RunAgain()
    assert rule.on_error(Message({}, {"max_retry_times": 5}), ValueError(), 5) == RunAgain()


def test_signals_go_their_own_ways():
    rule = Retry(dead_letter=True, retry_on=(KeyError,), never_on=(Exception,))
    assert rule.on_error(PLAIN, ExceptionForRequeue(), 1) is None
    assert rule.on_error(PLAIN, ExceptionForPushToDlxqueue(), 1) is None
    assert rule.on_error(PLAIN, ExceptionForRetry(), 1) == RunAgain()
    assert rule.on_error(PLAIN, TaskKilled(), 1) == Fail()


def test_a_timeout_is_retried_and_an_exit_is_not():
    assert Retry().on_error(PLAIN, TaskTimeout(), 1) == RunAgain()
    for error in (SystemExit(), KeyboardInterrupt(), GeneratorExit()):
        assert Retry().on_error(PLAIN, error, 1) == Fail()
        assert Retry(retry_on=(BaseException,)).on_error(PLAIN, error, 1) == RunAgain()


def test_types_decide():
    rule = Retry(retry_on=(OSError,), never_on=(PermissionError,))
    assert rule.on_error(PLAIN, ConnectionResetError(), 1) == RunAgain()
    assert rule.on_error(PLAIN, PermissionError(), 1) == Fail()
    assert rule.on_error(PLAIN, ValueError(), 1) == Fail()


def raised(error):
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001
        return caught


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_the_last_failure_goes_to_the_dead_letter_queue_with_all_there_is_to_know():
    rule = Retry(max_retries=1, dead_letter=True, never_on=(KeyError,))
    last = rule.on_error(PLAIN, raised(ValueError("broken")), 2)
    assert isinstance(last, DeadLetter)
    assert "2 time(s)" in last.reason
    assert last.error == "ValueError: broken"
    assert "raise error" in last.traceback
    never = rule.on_error(PLAIN, raised(KeyError("k")), 1)
    assert never.reason == "KeyError is not retried"
    mute = rule.on_error(PLAIN, raised(Mute()), 2)
    assert "RuntimeError" in mute.error


def test_dead_letter_on_request_keeps_the_reason():
    verdict = DeadLetterOnRequest().on_error(PLAIN, raised(ExceptionForPushToDlxqueue("bad row")), 1)
    assert (verdict.reason, verdict.error) == ("bad row", "ExceptionForPushToDlxqueue: bad row")
    assert "raise error" in verdict.traceback
    assert DeadLetterOnRequest().on_error(PLAIN, ExceptionForPushToDlxqueue(), 1).reason
    assert DeadLetterOnRequest().on_error(PLAIN, ValueError(), 1) is None


def test_waiting_in_the_queue_takes_the_count_along():
    rule = Retry(max_retries=2, backoff=Constant(7), wait="queue")
    assert rule.on_error(PLAIN, ValueError(), 2) == Requeue(7, {ATTEMPTS: 2})
    assert rule.on_error(PLAIN, ValueError(), 3) == Fail()


@given(positive, st.floats(1, 1e3), positive, st.integers(1, 100_000))
def test_waits_grow_up_to_the_cap(first, multiplier, cap, attempt):
    backoff = Exponential(first, multiplier, cap)
    assert 0 <= backoff(attempt) <= backoff(attempt + 1) <= cap
    assert backoff(1) == min(first, cap)


@given(positive, st.floats(1, 10), positive, st.integers(1, 50))
def test_jitter_keeps_its_bounds(first, multiplier, cap, attempt):
    plain = first * multiplier ** (attempt - 1)
    wait = Exponential(first, multiplier, cap, jitter=True)(attempt)
    assert min(cap, plain * 0.5) <= wait <= min(cap, plain * 1.5)


@pytest.mark.parametrize("wait", ["worker", "queue"])
def test_in_a_consumer(queue, pool, wait):
    runs = []

    def task():
        runs.append(current_message.get().attempt)
        if len(runs) < 3:
            raise ValueError

    Publisher(queue).publish({})
    with Consumer(task, queue=queue, pool=pool, controls=[Retry(backoff=Constant(0.01), wait=wait)]) as consumer:
        consumer.start()
        assert empty(queue)
    assert runs == [1, 2, 3]


def test_a_task_that_waits_in_the_queue_leaves_its_worker(queue):
    ran = threading.Event()

    def task(fail):
        if fail:
            raise ValueError
        ran.set()

    Publisher(queue).publish_many([{"fail": True}, {"fail": False}])
    rule = Retry(backoff=Constant(60), wait="queue")
    with SoloExecutor() as solo, Consumer(task, queue=queue, pool=solo, controls=[rule]) as consumer:
        consumer.start()
        assert ran.wait(5)
    assert queue.size().delayed == 1


def test_a_stop_ends_the_wait_in_the_worker_and_keeps_the_message(queue, pool):
    failed = threading.Event()

    def task():
        failed.set()
        raise ValueError

    Publisher(queue).publish({})
    with Consumer(task, queue=queue, pool=pool, controls=[Retry(backoff=Constant(600))]) as consumer:
        consumer.start()
        assert failed.wait(5)
        assert consumer.stop(5)
    assert queue.size() == (1, 0, 0)


def test_an_exit_fails_its_task_and_not_its_worker(queue, pool, caplog):
    def task(code):
        if code:
            raise SystemExit(code)

    Publisher(queue).publish_many([{"code": 1}, {"code": 0}])
    rule = Retry(dead_letter=True)
    with caplog.at_level(logging.CRITICAL), Consumer(task, queue=queue, pool=pool, controls=[rule]) as consumer:
        consumer.start()
        assert empty(queue)
    assert queue.broker.queue("q_dlx").size().ready == 1
