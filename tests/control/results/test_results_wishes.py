"""Who wants an answer gets it, in whatever way the task runs, and nobody else."""

import pytest

from fsdf_brokers.records.sql import SQLRecordStore
from fsdf_control import (
    Records,
    Results,
    Retry,
)
from fsdf_core.answer import answer_key
from fsdf_core.answer_reader import AnswerReader
from fsdf_core.batch import Batch
from fsdf_core.control import Control
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.message import Message
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool

PATIENCE = 60


@pytest.mark.parametrize(
    "result", [{1, 2}, b"bytes", 2**70, {1: "a"}, object()], ids=["set", "bytes", "int", "keys", "object"]
)
def test_a_result_that_is_no_json_fails_the_task_at_once(publish, queue, store, consume, answers, result):
    runs = []

    def task(x):
        runs.append(x)
        return result

    (task_id,) = publish({"x": 1})
    consume(task, Results(store, dead_letter=True), Retry(3))
    (answer,) = answers(task_id)
    assert (answer.state, answer.exception_type) == ("dead-lettered", "ResultNotJson")
    assert "is_using_rpc_mode" in answer.exception_msg
    assert wait_until(lambda: DeadLetters(queue).count() == 1, PATIENCE)
    assert runs == [1]


def test_without_the_wish_a_result_may_be_anything_and_the_store_is_not_touched(publish, queue, consume):
    def never():
        raise AssertionError("nobody asked")

    runs = []
    publish(*[{"x": 1}] * 20)
    publish({"x": 2}, max_retry_times=0)
    consumer = consume(lambda x: runs.append(x) or object(), Results(never, enabled=False))
    assert wait_until(lambda: queue.size().total == 0 and consumer.in_flight == 0, PATIENCE)
    assert sorted(runs) == [1] * 20 + [2]


def test_a_message_decides_for_itself(publish, queue, store, consume, answers):
    yes, old = (
        publish({"x": 1}, is_using_rpc_mode=True),
        publish({"x": 2}, other_extra_params={"is_using_rpc_mode": True}),
    )
    failing = publish({"x": 0}, is_using_rpc_mode=True)
    publish({"x": 4})
    consume(lambda x: 1 // x, Results(lambda: store, enabled=False))
    assert [each.success for each in answers(*yes, *old, *failing)] == [True, True, False]
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)
    assert len([key for keys in store.writes for key in keys]) == 3


def test_a_message_that_wants_none_gets_none(publish, queue, store, consume, answers):
    (no,), (yes,) = publish({"x": 1}, is_using_rpc_mode=False), publish({"x": 2})
    consume(lambda x: x, Results(store))
    assert answers(yes)[0].result == 2
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)
    assert AnswerReader(store).read([no]) == {}


def test_calls_of_a_batch_answer_each_for_itself(publish, store, consume, answers):
    def task(calls):
        return [ValueError("bad") if call["x"] == 1 else {2} if call["x"] == 2 else call["x"] for call in calls]

    ids = publish(*[{"x": x} for x in range(4)])
    consume(task, Results(store), batch=Batch(4, 5.0))
    zero, one, two, three = answers(*ids)
    assert (zero.result, three.result) == (0, 3)
    assert (one.exception_type, two.exception_type) == ("ValueError", "ResultNotJson")
    assert zero.message["x"] == 0


def test_a_batch_that_fails_answers_for_all_its_calls(publish, store, consume, answers):
    def task(calls):
        raise OSError("gone")

    ids = publish(*[{"x": x} for x in range(3)])
    consume(task, Results(store), batch=Batch(3, 5.0))
    assert [each.exception_type for each in answers(*ids)] == ["OSError"] * 3


@pytest.mark.parametrize("batch", [None, Batch(2, 5.0)])
def test_coroutines_answer(publish, store, consume, answers, batch):
    async def task(calls=None, x=None):
        if batch:
            return [call["x"] * 2 for call in calls]
        if x == 2:
            raise ValueError
        return x * 2

    ids = publish({"x": 1}, {"x": 2})
    consume(task, Results(store), pool=AsyncPool(max_workers=4), batch=batch)
    first, second = answers(*ids)
    assert first.result == 2
    assert (second.result, second.success) == ((4, True) if batch else (None, False))


def test_what_other_controls_make_of_a_result_is_answered(publish, store, consume, answers):
    class Double(Control):
        def around(self, call):
            return lambda message: 2 * call(message)

    (task_id,) = publish({"x": 4})
    consume(lambda x: x, Results(store), Double())
    assert answers(task_id)[0].result == 8


def test_a_control_outside_of_it_may_still_fail_the_task(publish, store, consume, answers):
    class Refuse(Control):
        def around(self, call):
            def refused(message):
                raise OSError(f"not {call(message)}")

            return refused

    (task_id,) = publish({"x": 4})
    consume(lambda x: x, Refuse(), Results(store))
    (answer,) = answers(task_id)
    assert (answer.state, answer.result, answer.exception_msg) == ("failed", None, "not 4")


def test_answers_are_written_together_and_expire(failing_store):
    clock = ManualClock()
    store = failing_store(clock)
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


@pytest.fixture
def recorded(tmp_path):
    store = SQLRecordStore(f"sqlite:///{(tmp_path / 'records.sqlite').as_posix()}")
    yield Records(lambda: store, results=True)
    store.close()


def wrapped(x):
    return {"x": x} if x != [0] else object()


async def wrapped_async(x):
    return wrapped(x)


@pytest.fixture(params=[True, False], ids=["answered first", "recorded first"])
def both(request, store, recorded):
    return [Results(store), recorded] if request.param else [recorded, Results(store)]


def test_what_is_recorded_at_length_is_answered_and_checked_all_the_same(publish, consume, answers, both):
    ids = publish(*[{"x": x} for x in ([0], [1], 2)])
    consume(wrapped, *both)
    check_wrapped(*answers(*ids))


def test_coroutines_answer_what_is_recorded_at_length(publish, consume, answers, both):
    ids = publish(*[{"x": x} for x in ([0], [1], 2)])
    consume(wrapped_async, *both, pool=AsyncPool(max_workers=4))
    check_wrapped(*answers(*ids))


def check_wrapped(bad, *good):
    assert (bad.state, bad.exception_type, bad.run_times) == ("failed", "ResultNotJson", 1)
    assert [(each.state, each.result, each.run_times) for each in good] == [
        ("succeeded", {"x": [1]}, 1),
        ("succeeded", {"x": 2}, 1),
    ]


def test_a_result_that_changes_before_it_is_stored_holds_up_nothing(publish, store, consume, answers):
    results = []

    class Late(Control):
        """Comes before the answers are stored, and must see all messages."""

        wants_outcomes = False

        def digest(self, message):
            return None

        def on_settle(self, messages):
            for result in results:
                result.append(object())

        def on_digests(self, digests):
            raise AssertionError("it keeps nothing")

    def task(x):
        results.append([x])
        return results[-1]

    (task_id,) = publish({"x": 1})
    consume(task, Late(), Results(store))
    (answer,) = answers(task_id)
    assert (answer.state, answer.exception_type) == ("dropped", "ResultNotJson")
    assert answer.reason == "its result cannot be stored"
