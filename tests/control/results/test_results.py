"""What becomes of a task is answered to whoever waits for it."""

import threading
import time

import pytest

from fsdf_control import (
    DeadLetterOnRequest,
    Expire,
    Filter,
    RemoteKill,
    Requeue,
    Results,
    Retry,
    Timeout,
)
from fsdf_control.kill import kill
from fsdf_core.answer import answer_key
from fsdf_core.answer_reader import AnswerReader
from fsdf_core.answer_waiting import wait_for
from fsdf_core.broker import OutgoingMessage
from fsdf_core.control import Control
from fsdf_core.errors import (
    ExceptionForPushToDlxqueue,
    ExceptionForRequeue,
    StateUnavailable,
)
from fsdf_core.testing.spy import Spy
from fsdf_core.waiting import wait_until

PATIENCE = 60


def test_a_failure_tells_type_text_and_traceback(publish, store, consume, answers):
    def task(x):
        raise ValueError(f"no {x} \ud800")

    (task_id,) = publish({"x": 1})
    consume(task, Results(store, function="task"), Retry(2))
    (answer,) = answers(task_id)
    assert (answer.state, answer.success, answer.result, answer.run_times) == ("failed", False, None, 3)
    assert (answer.exception_type, answer.exception_msg) == ("ValueError", "no 1 \\ud800")
    assert "in task\n" in answer.traceback
    assert answer.message["x"] == 1
    assert store.writes == [[answer_key(task_id)]]


def test_tasks_that_did_not_run_answer_with_the_reason(publish, queue, store, consume, answers):
    def task(x):
        return x

    old, killed = publish({"x": 1}, publish_time=1000.0), publish({"x": 2})
    first = publish({"x": 3})
    kill(store, queue.name, *killed)
    consume(task, Results(store), RemoteKill(store), Expire(600), Filter(store))
    assert answers(*first)[0].result == 3
    second = publish({"x": 3})
    expired, dead, filtered = answers(*old, *killed, *second)
    assert {each.state for each in (expired, dead, filtered)} == {"dropped"}
    assert expired.reason.startswith("expired: ")
    assert (dead.reason, filtered.reason) == ("killed", "filtered")
    assert (filtered.run_times, filtered.time_start, filtered.exception_msg) == (0, None, "filtered")


def test_dead_letters_answer(publish, store, consume, answers):
    def task(x):
        if x == 1:
            raise ExceptionForPushToDlxqueue("bad row")
        raise OSError("gone")

    asked, given_up = publish({"x": 1}, {"x": 2})
    consume(task, Results(store), DeadLetterOnRequest(), Retry(0, dead_letter=True))
    first, second = answers(asked, given_up)
    assert (first.state, first.reason, first.exception_type) == (
        "dead-lettered",
        "bad row",
        "ExceptionForPushToDlxqueue",
    )
    assert (second.state, second.exception_type) == ("dead-lettered", "OSError")
    assert "no retry is left" in second.reason


def test_what_cannot_be_read_or_kills_its_workers_answers_if_it_has_an_id(publish, queue, store, consume, answers):
    pickled = b'{"x": "gASV", "extra": {"task_id": "pickled", "can_not_json_serializable_keys": ["x"]}}'
    queue.send([OutgoingMessage(b"no json"), OutgoingMessage(pickled)])
    (deadly,) = publish({"x": 1})
    consume(lambda x: x, Results(store), max_deliveries=0)
    (answer,) = answers(deadly)
    assert answer.state == "dead-lettered"
    assert "kills its worker" in answer.reason
    (answer,) = answers("pickled")
    assert (answer.state, answer.reason, answer.message) == ("dead-lettered", "undecodable", {})
    assert "pickled" in answer.exception_msg


def test_tasks_that_take_too_long_or_are_killed_answer_once(publish, queue, store, consume, answers):
    going, stop = threading.Event(), threading.Event()

    def task(x):
        going.set()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            stop.wait(0.01)

    slow, killed = publish({"x": 1}, function_timeout=0.2), publish({"x": 2})
    consume(task, Results(store), RemoteKill(store), Timeout(None))
    assert answers(*slow)[0].exception_type == "TaskTimeout"
    assert going.wait(PATIENCE)
    kill(store, queue.name, *killed)
    (answer,) = answers(*killed)
    assert (answer.exception_type, answer.state) == ("TaskKilled", "failed")


class Guest(Control):
    """Sees the consumer from inside."""

    def start(self, host):
        self.host = host


def test_a_stuck_task_leaves_nothing_behind(publish, queue, store, consume, answers):
    go = threading.Event()
    guest = Guest()
    (task_id,) = publish({"x": 1}, function_timeout=0.05)
    consume(lambda x: go.wait(PATIENCE), Results(store), Timeout(None, grace=0.05), guest)
    assert answers(task_id)[0].exception_type == "TaskTimeout"
    go.set()
    (last,) = publish({"x": 2})
    answers(last)
    assert guest.host.running() == []
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)


def test_what_is_no_json_is_fine_at_a_second_attempt_if_nobody_asks(publish, queue, store, consume):
    runs = []

    def task(x):
        runs.append(x)
        if len(runs) == 1:
            raise ValueError
        return object()

    spy = Spy()
    publish({"x": 1})
    consume(task, Results(store, enabled=False), Retry(5), spy)
    (left,) = spy.expect(1)
    assert (len(runs), left.outcome.success, left.settlement) == (2, True, None)
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)
    assert store.writes == []


@pytest.mark.parametrize("retry", [Retry(5, wait="queue"), Requeue()])
def test_a_task_that_goes_back_to_its_queue_has_not_answered(publish, store, consume, answers, retry):
    runs = []

    def task(x):
        runs.append(x)
        if len(runs) < 3:
            raise ExceptionForRequeue if isinstance(retry, Requeue) else ValueError
        return len(runs)

    (task_id,) = publish({"x": 1})
    consume(task, Results(store), retry)
    assert answers(task_id)[0].result == 3
    assert len(store.writes) == 1


def test_a_store_that_is_away_is_waited_for_and_no_task_runs_again(publish, queue, consume, failing_store):
    store = failing_store(failures=[StateUnavailable("away")] * 3)
    runs = []
    (task_id,) = publish({"x": 1})
    consume(lambda x: runs.append(x), Results(store))
    assert wait_for({AnswerReader(store): [task_id]}, PATIENCE)[task_id].success
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)
    assert (runs, store.tries) == ([1], 4)


def test_a_result_that_the_store_refuses_answers_with_why_and_holds_up_nothing(publish, queue, consume, failing_store):
    store = failing_store(most=5000)
    big, small = publish({"x": 100_000}, {"x": 1})
    consume(lambda x: "x" * x, Results(store))
    found = wait_for({AnswerReader(store): [big, small]}, PATIENCE)
    assert found[small].result == "x"
    assert (found[big].state, found[big].reason) == ("dropped", "its result cannot be stored")
    assert "too much" in found[big].exception_msg
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)


def test_a_huge_result_comes_whole(publish, store, consume, answers):
    (task_id,) = publish({"x": 5_000_000})
    consume(lambda x: "ü" * x, Results(store))
    assert answers(task_id)[0].result == "ü" * 5_000_000
