"""What becomes of a task is answered to whoever waits for it."""

import threading
import time

import pytest

from fsdf_brokers.sqlite import SQLiteBroker
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
from fsdf_core.batch import Batch
from fsdf_core.broker import OutgoingMessage
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.errors import (
    ExceptionForPushToDlxqueue,
    ExceptionForRequeue,
    StateError,
    StateUnavailable,
)
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor

PATIENCE = 60


class Store(MemoryStateStore):
    """Counts its writes, and fails as told."""

    def __init__(self, *arguments, failures=(), most=None):
        super().__init__(*arguments)
        self.failures = list(failures)
        self.most = most
        self.writes = []
        self.tries = 0

    def set(self, values, ttl=None):
        self.tries += 1
        if self.failures:
            raise self.failures.pop()
        if self.most and any(len(value) > self.most for value in values.values()):
            raise StateError("too much")
        self.writes.append(sorted(values))
        super().set(values, ttl)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def queue(tmp_path):
    with_files = SQLiteBroker(tmp_path / "queue.sqlite")
    yield with_files.queue("q")
    with_files.close()


@pytest.fixture
def answers(store):
    """Waits for the answers of tasks."""

    def wait(*task_ids):
        found = wait_for({AnswerReader(store): task_ids}, PATIENCE)
        return [found[task_id] for task_id in task_ids]

    return wait


@pytest.fixture
def consume(queue):
    """Starts consumers, stops them at the end."""
    running = []

    def start(function, *controls, pool=None, **options):
        pool = pool or ShrinkableThreadPoolExecutor(max_workers=4)
        consumer = Consumer(function, queue=queue, pool=pool, controls=controls, **options)
        running.append((consumer, pool))
        consumer.start()
        return consumer

    yield start
    for consumer, pool in running:
        consumer.stop(10)
        pool.close(10)


def publish(queue, *calls, **extra):
    return [Publisher(queue).publish(call, dict(extra)).task_id for call in calls]


def test_a_failure_tells_type_text_and_traceback(queue, store, consume, answers):
    def task(x):
        raise ValueError(f"no {x} \ud800")

    (task_id,) = publish(queue, {"x": 1})
    consume(task, Results(store, function="task"), Retry(2))
    (answer,) = answers(task_id)
    assert (answer.state, answer.success, answer.result, answer.run_times) == ("failed", False, None, 3)
    assert (answer.exception_type, answer.exception_msg) == ("ValueError", "no 1 \\ud800")
    assert "in task\n" in answer.traceback
    assert answer.message["x"] == 1
    assert store.writes == [[answer_key(task_id)]]


def test_tasks_that_did_not_run_answer_with_the_reason(queue, store, consume, answers):
    def task(x):
        return x

    old, killed = publish(queue, {"x": 1}, publish_time=1000.0), publish(queue, {"x": 2})
    first = publish(queue, {"x": 3})
    kill(store, queue.name, *killed)
    consume(task, Results(store), RemoteKill(store), Expire(600), Filter(store))
    assert answers(*first)[0].result == 3
    second = publish(queue, {"x": 3})
    expired, dead, filtered = answers(*old, *killed, *second)
    assert {each.state for each in (expired, dead, filtered)} == {"dropped"}
    assert expired.reason.startswith("expired: ")
    assert (dead.reason, filtered.reason) == ("killed", "filtered")
    assert (filtered.run_times, filtered.time_start, filtered.exception_msg) == (0, None, "filtered")


def test_dead_letters_answer(queue, store, consume, answers):
    def task(x):
        if x == 1:
            raise ExceptionForPushToDlxqueue("bad row")
        raise OSError("gone")

    asked, given_up = publish(queue, {"x": 1}, {"x": 2})
    consume(task, Results(store), DeadLetterOnRequest(), Retry(0, dead_letter=True))
    first, second = answers(asked, given_up)
    assert (first.state, first.reason, first.exception_type) == (
        "dead-lettered",
        "bad row",
        "ExceptionForPushToDlxqueue",
    )
    assert (second.state, second.exception_type) == ("dead-lettered", "OSError")
    assert "no retry is left" in second.reason


def test_what_cannot_be_read_or_kills_its_workers_answers_if_it_has_an_id(queue, store, consume, answers):
    pickled = b'{"x": "gASV", "extra": {"task_id": "pickled", "can_not_json_serializable_keys": ["x"]}}'
    queue.send([OutgoingMessage(b"no json"), OutgoingMessage(pickled)])
    (deadly,) = publish(queue, {"x": 1})
    consume(lambda x: x, Results(store), max_deliveries=0)
    (answer,) = answers(deadly)
    assert answer.state == "dead-lettered"
    assert "kills its worker" in answer.reason
    (answer,) = answers("pickled")
    assert (answer.state, answer.reason, answer.message) == ("dead-lettered", "undecodable", {})
    assert "pickled" in answer.exception_msg


def test_tasks_that_take_too_long_or_are_killed_answer_once(queue, store, consume, answers):
    going, stop = threading.Event(), threading.Event()

    def task(x):
        going.set()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            stop.wait(0.01)

    slow, killed = publish(queue, {"x": 1}, function_timeout=0.2), publish(queue, {"x": 2})
    consume(task, Results(store), RemoteKill(store), Timeout(None))
    assert answers(*slow)[0].exception_type == "TaskTimeout"
    assert going.wait(PATIENCE)
    kill(store, queue.name, *killed)
    (answer,) = answers(*killed)
    assert (answer.exception_type, answer.state) == ("TaskKilled", "failed")


def test_a_stuck_task_leaves_nothing_behind(queue, store, consume, answers):
    go = threading.Event()
    results = Results(store)
    (task_id,) = publish(queue, {"x": 1}, function_timeout=0.05)
    consume(lambda x: go.wait(PATIENCE), results, Timeout(None, grace=0.05))
    assert answers(task_id)[0].exception_type == "TaskTimeout"
    go.set()
    (last,) = publish(queue, {"x": 2})
    answers(last)
    assert wait_until(lambda: not results._ran, PATIENCE)
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)


@pytest.mark.parametrize("retry", [Retry(5, wait="queue"), Requeue()])
def test_a_task_that_goes_back_to_its_queue_has_not_answered(queue, store, consume, answers, retry):
    runs = []

    def task(x):
        runs.append(x)
        if len(runs) < 3:
            raise ExceptionForRequeue if isinstance(retry, Requeue) else ValueError
        return len(runs)

    (task_id,) = publish(queue, {"x": 1})
    consume(task, Results(store), retry)
    assert answers(task_id)[0].result == 3
    assert len(store.writes) == 1


def test_a_store_that_is_away_is_waited_for_and_no_task_runs_again(queue, consume):
    store = Store(failures=[StateUnavailable("away")] * 3)
    runs = []
    (task_id,) = publish(queue, {"x": 1})
    consume(lambda x: runs.append(x), Results(store))
    assert wait_for({AnswerReader(store): [task_id]}, PATIENCE)[task_id].success
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)
    assert (runs, store.tries) == ([1], 4)


def test_a_result_that_the_store_refuses_answers_with_why_and_holds_up_nothing(queue, consume):
    store = Store(most=5000)
    big, small = publish(queue, {"x": 100_000}, {"x": 1})
    consume(lambda x: "x" * x, Results(store))
    found = wait_for({AnswerReader(store): [big, small]}, PATIENCE)
    assert found[small].result == "x"
    assert (found[big].state, found[big].reason) == ("dropped", "its result cannot be stored")
    assert "too much" in found[big].exception_msg
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)


def test_a_huge_result_comes_whole(queue, store, consume, answers):
    (task_id,) = publish(queue, {"x": 5_000_000})
    consume(lambda x: "ü" * x, Results(store))
    assert answers(task_id)[0].result == "ü" * 5_000_000


@pytest.mark.parametrize(
    "result", [{1, 2}, b"bytes", 2**70, {1: "a"}, object()], ids=["set", "bytes", "int", "keys", "object"]
)
def test_a_result_that_is_no_json_fails_the_task_without_another_attempt(queue, store, consume, answers, result):
    runs = []

    def task(x):
        runs.append(x)
        return result

    (task_id,) = publish(queue, {"x": 1})
    consume(task, Results(store, dead_letter=True), Retry(3))
    (answer,) = answers(task_id)
    assert (answer.state, answer.exception_type) == ("dead-lettered", "ResultNotJson")
    assert "is_using_rpc_mode" in answer.exception_msg
    assert wait_until(lambda: DeadLetters(queue).count() == 1, PATIENCE)
    assert runs == [1]


def test_without_the_wish_a_result_may_be_anything_and_the_store_is_not_touched(queue, consume):
    def never():
        raise AssertionError("nobody asked")

    runs = []
    publish(queue, *[{"x": 1}] * 20)
    publish(queue, {"x": 2}, max_retry_times=0)
    consumer = consume(lambda x: runs.append(x) or object(), Results(never, enabled=False))
    assert wait_until(lambda: queue.size().total == 0 and consumer.in_flight == 0, PATIENCE)
    assert sorted(runs) == [1] * 20 + [2]


def test_a_message_decides_for_itself(queue, store, consume, answers):
    yes, old = (
        publish(queue, {"x": 1}, is_using_rpc_mode=True),
        publish(queue, {"x": 2}, other_extra_params={"is_using_rpc_mode": True}),
    )
    failing = publish(queue, {"x": 0}, is_using_rpc_mode=True)
    publish(queue, {"x": 4})
    consume(lambda x: 1 // x, Results(lambda: store, enabled=False))
    assert [each.success for each in answers(*yes, *old, *failing)] == [True, True, False]
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)
    assert len([key for keys in store.writes for key in keys]) == 3


def test_a_message_that_wants_none_gets_none(queue, store, consume, answers):
    (no,), (yes,) = publish(queue, {"x": 1}, is_using_rpc_mode=False), publish(queue, {"x": 2})
    consume(lambda x: x, Results(store))
    assert answers(yes)[0].result == 2
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)
    assert AnswerReader(store).read([no]) == {}


def test_calls_of_a_batch_answer_each_for_itself(queue, store, consume, answers):
    def task(calls):
        return [ValueError("bad") if call["x"] == 1 else {2} if call["x"] == 2 else call["x"] for call in calls]

    ids = publish(queue, *[{"x": x} for x in range(4)])
    consume(task, Results(store), batch=Batch(4, 5.0))
    zero, one, two, three = answers(*ids)
    assert (zero.result, three.result) == (0, 3)
    assert (one.exception_type, two.exception_type) == ("ValueError", "ResultNotJson")
    assert zero.message["x"] == 0


def test_a_batch_that_fails_answers_for_all_its_calls(queue, store, consume, answers):
    def task(calls):
        raise OSError("gone")

    ids = publish(queue, *[{"x": x} for x in range(3)])
    consume(task, Results(store), batch=Batch(3, 5.0))
    assert [each.exception_type for each in answers(*ids)] == ["OSError"] * 3


@pytest.mark.parametrize("batch", [None, Batch(2, 5.0)])
def test_coroutines_answer(queue, store, consume, answers, batch):
    async def task(calls=None, x=None):
        if batch:
            return [call["x"] * 2 for call in calls]
        if x == 2:
            raise ValueError
        return x * 2

    ids = publish(queue, {"x": 1}, {"x": 2})
    consume(task, Results(store), pool=AsyncPool(max_workers=4), batch=batch)
    first, second = answers(*ids)
    assert first.result == 2
    assert (second.result, second.success) == ((4, True) if batch else (None, False))


def test_what_other_controls_make_of_a_result_is_answered(queue, store, consume, answers):
    class Double(Control):
        def around(self, call):
            return lambda message: 2 * call(message)

    (task_id,) = publish(queue, {"x": 4})
    consume(lambda x: x, Results(store), Double())
    assert answers(task_id)[0].result == 8


def test_answers_are_written_together_and_expire():
    clock = ManualClock()
    store = Store(clock)
    results = Results(store, ttl=10)
    messages = [Message({"x": x}, {"task_id": f"t{x}"}) for x in range(3)]
    call = results.around(lambda message: message.arguments["x"])
    for message in messages:
        call(message)
    results.on_settle(messages)
    assert store.writes == [[answer_key(f"t{x}") for x in range(3)]]
    reader = AnswerReader(store)
    assert [each.result for each in reader.read(["t0", "t1", "t2"]).values()] == [0, 1, 2]
    clock.advance(10.1)
    assert reader.read(["t0", "t1", "t2"]) == {}


@pytest.mark.parametrize("ttl", [0, -1, float("nan")])
def test_an_answer_is_kept_for_a_time(ttl):
    with pytest.raises(ValueError, match="ttl"):
        Results(MemoryStateStore(), ttl)
