"""A funboost producer feeds an fsdf worker, an fsdf producer a funboost worker, and both share a queue."""

from __future__ import annotations

import datetime
import queue
import threading
import time

import pytest

from fsdf import TaskOptions, fct

WAIT = 90.0

pytestmark = pytest.mark.timeout(600)  # the first test may have to install funboost


class Ran:
    """What fsdf's task tells: (event, x, y, extra)."""

    def __init__(self):
        self.told = queue.SimpleQueue()

    def __call__(self, x, y=0):
        extra = fct.full_msg["extra"]
        self.told.put(("began", x, y, extra))
        if y == "fails":
            raise ValueError(y)
        if y == "hangs":
            try:
                for _ in range(3000):
                    threading.Event().wait(0.01)
            except BaseException:
                self.told.put(("was stopped", x, y, extra))
                raise
        self.told.put(("ended", x, y, extra))

    def expect(self, event, count):
        found = []
        deadline = time.monotonic() + WAIT
        while len(found) < count:
            told = self.told.get(timeout=max(deadline - time.monotonic(), 0))
            if told[0] == event:
                found.append(told)
        return found


@pytest.fixture
def ran():
    return Ran()


@pytest.fixture
def task(decorate, ran):
    def task(x, y=0):
        ran(x, y)

    return decorate(task, max_retry_times=0)


def arguments(found):
    return sorted(one[1:3] if isinstance(one, tuple) else (one["x"], one["y"]) for one in found)


def test_funboost_feeds_fsdf(funboost, task, ran):
    funboost.push(
        ("positional", [1, 2], {}),
        ("keywords", {"x": 3, "y": 4}, {}),
        ("publish", {"x": 5}, {"task_id": "five", "user_extra_info": {"who": "me"}}),
    )
    assert task.get_message_count() == 3
    task.consume()
    found = ran.expect("ended", 3)
    assert arguments(found) == [(1, 2), (3, 4), (5, 0)]
    extra = next(one[3] for one in found if one[1] == 5)
    assert extra["task_id"] == "five"
    assert extra["user_extra_info"] == {"who": "me"}
    assert abs(extra["publish_time"] - time.time()) < 2 * WAIT


def test_fsdf_feeds_funboost(funboost, task):
    task.push(1, 2)
    task.push(x=3, y=4)
    task.publish({"x": 5}, task_options=TaskOptions(task_id="five", user_extra_info={"who": "me"}))
    with funboost:
        found = funboost.expect("ended", 3)
    assert arguments(found) == [(1, 2), (3, 4), (5, 0)]
    extra = next(one["extra"] for one in found if one["x"] == 5)
    assert extra["task_id"] == "five"
    assert extra["user_extra_info"] == {"who": "me"}


def test_fsdf_heeds_the_task_options_of_funboost(funboost, task, ran):
    old = time.time() - 1000
    funboost.push(
        ("publish", {"x": 1, "y": "hangs"}, {"function_timeout": 0.5}),
        ("publish", {"x": 2, "y": "fails"}, {"max_retry_times": 2, "is_print_detail_exception": False}),
        ("publish", {"x": 3}, {"publish_time": old, "msg_expire_seconds": 10}),
        ("publish", {"x": 4}, {"countdown": 2}),
        ("publish", {"x": 5}, {"eta": _soon()}),
    )
    task.consume()
    told = []
    wanted = [("was stopped", 1), *[("began", 2)] * 3, ("ended", 4), ("ended", 5)]
    deadline = time.monotonic() + WAIT
    while sorted((event, x) for event, x, _, _ in told if (event, x) in wanted) != sorted(wanted):
        told.append(ran.told.get(timeout=max(deadline - time.monotonic(), 0)))
        if told[-1][:2] == ("began", 4):
            assert time.time() >= told[-1][3]["publish_time"] + 2
    assert 3 not in {x for _, x, _, _ in told}


def test_funboost_heeds_the_task_options_of_fsdf(funboost, task, kind):
    old = time.time() - 1000
    task.publish({"x": 1, "y": "hangs"}, task_options=TaskOptions(function_timeout=1))
    task.publish({"x": 2, "y": "fails"}, task_options=TaskOptions(max_retry_times=2))
    task.publish({"x": 3}, task_options=TaskOptions(publish_time=old, msg_expire_seconds=10))
    delayed = [(4, 0)] if kind == "RABBITMQ" else []  # on Redis a delayed message waits for a consumer of fsdf
    if delayed:
        task.publish({"x": 4}, task_options=TaskOptions(eta=datetime.datetime.fromisoformat(_soon())))
    task.publish({"x": 5})
    with funboost:
        funboost.expect("was stopped", 1)
        ended = funboost.expect("ended", 1 + len(delayed))
        began = funboost.expect("began", 5 + len(delayed))
    assert arguments(ended) == [*delayed, (5, 0)]
    assert [told["x"] for told in began].count(2) == 3
    assert 3 not in {told["x"] for told in funboost.history()}


@pytest.mark.parametrize("kind", ["REDIS", "REDIS_ACK_ABLE", "REDIS_STREAM", "RABBITMQ"], indirect=True)
def test_workers_of_both_share_a_queue(funboost, decorate, ran, kind):
    count, gate = 300, threading.Event()

    def task(x, y=0):
        ran(x, y)
        assert gate.wait(WAIT)

    task = decorate(task, max_retry_times=0)
    task.publisher.publish_many([{"x": number} for number in range(count)])
    task.consume()
    mine = [x for _, x, _, _ in ran.expect("ended", 5)]
    with funboost:
        funboost.expect("ended", 1)
        gate.set()
        deadline = time.monotonic() + WAIT
        while len({*mine, *_ended(funboost)}) < count:
            assert time.monotonic() < deadline
            mine += _drained(ran)
    assert {*mine, *_ended(funboost)} == set(range(count))
    if kind != "REDIS_STREAM":  # there funboost takes what consumers hold that it does not know
        assert len(mine + _ended(funboost)) == count


@pytest.mark.parametrize("kind", ["REDIS", "REDIS_ACK_ABLE"], indirect=True)
def test_plain_json_of_redis_cli_is_a_task(request, kind, queue_name, task, ran):
    server = request.getfixturevalue("redis_server")
    assert server.command("RPUSH", queue_name, '{"x":1,"y":2}', '{"x":3}') == b":2\r\n"
    task.consume()
    assert arguments(ran.expect("ended", 2)) == [(1, 2), (3, 0)]


@pytest.mark.parametrize("kind", ["REDIS_STREAM"], indirect=True)
def test_plain_json_on_a_stream_is_a_task(request, kind, queue_name, task, ran):
    server = request.getfixturevalue("redis_server")
    assert b"-" in server.command("XADD", queue_name, "*", "body", '{"x":1,"y":2}')
    task.consume()
    assert arguments(ran.expect("ended", 1)) == [(1, 2)]


def _ended(funboost):
    return [told["x"] for told in funboost.history() if told["event"] == "ended"]


def _drained(ran):
    found = []
    while True:
        try:
            told = ran.told.get(timeout=0.1)
        except queue.Empty:
            return found
        if told[0] == "ended":
            found.append(told[1])


def _soon():
    """Two seconds from now, as funboost writes it."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
