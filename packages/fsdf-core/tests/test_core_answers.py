"""Reading and waiting for answers, in stores that wake and in stores that do not."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fsdf_core.answer import Answer, answer_key, decode_answer
from fsdf_core.answer_reader import AnswerReader, reader_of
from fsdf_core.answer_waiting import wait_for
from fsdf_core.errors import StateError, StateUnavailable
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.waiting import wait_until

PATIENCE = 60


class Silent(MemoryStateStore):
    """Wakes nobody: whoever waits looks again and again."""

    wakes = False


class Away(MemoryStateStore):
    """Is away at first."""

    retryable_errors = (ConnectionError,)

    def __init__(self, error, times):
        super().__init__()
        self.errors = [error] * times

    def get(self, keys):
        if self.errors:
            raise self.errors.pop()
        return super().get(keys)


@pytest.fixture(params=[MemoryStateStore, Silent])
def store(request):
    store = request.param()
    yield store
    store.close()


@pytest.fixture
def reader(store):
    return AnswerReader(store)


def tell(store, *task_ids, state="succeeded"):
    store.set({answer_key(each): Answer(each, state, result=each).encode() for each in task_ids}, 60)
    store.notify(*map(answer_key, task_ids))


def results(found):
    return {task_id: answer.result for task_id, answer in found.items()}


def test_a_wait_without_an_answer_ends_in_its_time(reader):
    assert wait_for({reader: ["a"]}, 0) == {}
    assert wait_for({reader: ["a"]}, 0.05) == {}
    assert not reader._expected


def test_a_wait_for_nothing(reader):
    assert wait_for({}, PATIENCE) == {}
    assert wait_for({reader: []}, PATIENCE) == {}


@pytest.mark.parametrize("error", [StateUnavailable("away"), ConnectionError("away")], ids=["state", "client"])
def test_a_store_that_is_away_is_waited_for(error):
    store = Away(error, 2)
    tell(store, "a")
    reader = AnswerReader(store)
    assert results(wait_for({reader: ["a"]}, PATIENCE)) == {"a": "a"}
    assert reader.trouble is None


def test_a_reader_says_why_it_hears_nothing():
    reader = AnswerReader(Away(StateUnavailable("away"), 10**6))
    assert wait_for({reader: ["a"]}, 0.2) == {}
    assert str(reader.trouble) == "away"


def test_a_store_that_refuses_is_an_error_at_once():
    with pytest.raises(StateError, match="refused"):
        wait_for({AnswerReader(Away(StateError("refused"), 10**6)): ["a"]}, PATIENCE)


def test_what_is_there_is_returned_and_the_rest_waited_for(store, reader):
    tell(store, "old")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for, {reader: ["new", "old", "new"]}, PATIENCE)
        tell(store, "new")
        assert results(waiting.result(PATIENCE)) == {"old": "old", "new": "new"}


def test_many_wait_for_many_in_one_thread(store, reader):
    ids = [f"task-{number}" for number in range(3000)]
    with ThreadPoolExecutor(10) as pool:
        waits = [pool.submit(wait_for, {reader: ids[place::10]}, PATIENCE) for place in range(10)]
        both = pool.submit(wait_for, {reader: ids[:5]}, PATIENCE)
        for place in range(0, len(ids), 100):
            tell(store, *ids[place : place + 100])
        found = [each for wait in waits for each in wait.result(PATIENCE)]
        assert sorted(found) == sorted(ids)
        assert sorted(both.result(PATIENCE)) == sorted(ids[:5])
    assert not reader._expected


def test_a_task_whose_store_is_not_known_is_looked_for_in_several(reader, store):
    other = MemoryStateStore()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for, {reader: ["a"], AnswerReader(other): ["a"]}, PATIENCE)
        tell(other, "a")
        assert results(waiting.result(PATIENCE)) == {"a": "a"}


def test_whoever_expects_is_told_once_and_none_when_the_time_is_over(store, reader):
    told, all_told = [], threading.Event()

    def hear(task_id, answer):
        told.append((task_id, answer and answer.result))
        if len(told) == 3:
            all_told.set()

    reader.expect(["late"], hear, timeout=0.05)
    reader.expect(["a", "b"], hear, timeout=PATIENCE)
    tell(store, "a")
    tell(store, "b")
    tell(store, "a")
    assert all_told.wait(PATIENCE)
    assert sorted(told) == [("a", "a"), ("b", "b"), ("late", None)]


def test_who_raises_when_told_harms_nobody(store, reader, caplog):
    heard = threading.Event()

    def fail(*_):
        raise ValueError("mine")

    with caplog.at_level(logging.ERROR, "fsdf.results"):
        reader.expect(["a"], fail)
        reader.expect(["b"], lambda *_: heard.set())
        tell(store, "a")
        tell(store, "b")
        assert heard.wait(PATIENCE)
        assert wait_until(lambda: "task a: who waited" in caplog.text, PATIENCE)


def test_a_store_that_was_closed_is_used_again(store, reader):
    heard = threading.Event()
    reader.expect(["a"], lambda *_: heard.set())
    store.close()
    tell(store, "a")
    assert heard.wait(PATIENCE)


def test_an_id_may_be_long_and_odd(store, reader):
    ids = ["x" * 1000, "x" * 1001, "ü" * 400, "", "a\x00b"]
    tell(store, *ids)
    assert results(wait_for({reader: ids}, PATIENCE)) == {each: each for each in ids}
    assert all(len(answer_key(each).encode()) < 400 for each in ids)


def test_a_newer_version_may_tell_more_and_an_older_one_less():
    answer = decode_answer(b'{"task_id": "a", "state": "failed", "brand_new": 1}')
    assert (answer.task_id, answer.success, answer.traceback) == ("a", False, "")


@pytest.mark.parametrize("rest", [b",[3]]", b',[3],"of a later version"]', b'],"result":[3]'])
def test_the_run_of_an_answer_may_be_a_list(rest):
    answer = decode_answer(b'{"state":"succeeded","run":["a",2,1.5,2.5,77%b}' % rest)
    assert answer == Answer("a", "succeeded", run_times=2, time_start=1.5, time_end=2.5, thread_id=77, result=[3])


@pytest.mark.parametrize("run", [b"[]", b"7", b'{"task_id":"a"}'])
def test_a_run_that_tells_of_no_task(run):
    with pytest.raises(ValueError, match="no answer"):
        decode_answer(b'{"state":"succeeded","run":%b}' % run)


@pytest.mark.parametrize("value", [b"", b"[]", b'"text"', b'{"task_id": "a"}'])
def test_what_is_no_answer_is_refused(value):
    with pytest.raises(ValueError, match="."):
        decode_answer(value)


def test_a_status_has_the_fields_that_users_know():
    answer = Answer("a", "failed", exception_type="ValueError", exception_msg="bad", message={"x": 1, "extra": {}})
    status = answer.status()
    assert (status.task_id, status.success, status.exception, status.params) == (
        "a",
        False,
        "ValueError    bad",
        {"x": 1},
    )
    assert answer.status_dict()["params_str"] == '{"x":1}'


def test_a_store_has_one_reader():
    store = MemoryStateStore()
    assert reader_of(store) is reader_of(store)
    assert reader_of(store) is not reader_of(MemoryStateStore())
