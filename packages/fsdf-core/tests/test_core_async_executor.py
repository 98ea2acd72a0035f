"""The executor of coroutines: how many calls it hands to its pool."""

import asyncio
import logging
import threading
from collections import deque
from contextvars import Context

import pytest

from fsdf_core.async_executor import AsyncExecutor
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.inbox import Inbox
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.verdict import Release
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool

PATIENCE = 30.0


class Counted(AsyncPool):
    """Counts the calls that it is given and the most that were not done at a time."""

    given = most = 0

    def execute_many(self, call, count):
        self.given += count
        super().execute_many(call, count)
        self.most = max(self.most, self.given - self.taken())


class Paper:
    """Notes what it should do."""

    max_workers = 5

    def __init__(self):
        self.given = []

    def execute_many(self, call, count):
        self.given.append(count)

    def as_new(self):
        return False


async def nothing(): ...


def executor(pool, ready, function=nothing, inbox=None):
    inbox = inbox or Inbox()
    return AsyncExecutor(function, (), ready, inbox, pool, threading.Event(), logging.getLogger("fsdf.test"))


def run(call):
    with pytest.raises(StopIteration):
        call().send(None)


def test_each_message_gets_a_call_and_no_call_is_asked_for_twice():
    pool, ready = Paper(), deque()
    runs = executor(pool, ready)

    def make_ready(count):
        ready.extend(Message({}, {}, object()) for _ in range(count))
        runs.begin(count)

    make_ready(3)
    make_ready(1)
    make_ready(9)
    assert pool.given == [3, 1, 1]
    ready.clear()
    for _ in range(5):
        run(runs.run_next)
    make_ready(2)
    assert pool.given == [3, 1, 1, 2]


def test_a_call_whose_task_is_not_as_new_lets_another_go_on():
    pool, ready = Paper(), deque(Message({}, {}, object()) for _ in range(3))
    runs = executor(pool, ready)
    runs.begin(3)
    run(runs.run_next)
    assert (pool.given, len(ready)) == ([3, 1], 2)
    runs.begin(0)
    assert pool.given == [3, 1]


def test_a_message_whose_coroutine_is_closed_with_its_loop_goes_back():
    ended, inbox = [], Inbox()

    async def function():
        try:
            await asyncio.sleep(0)
        finally:
            ended.append(1)

    call = executor(Paper(), deque([Message({}, {}, object())]), function, inbox).run_next()
    its_own = Context()  # what is closed leaves its message there
    its_own.run(call.send, None)
    its_own.run(call.close)
    assert ended == [1]
    assert isinstance(inbox.messages.pop().settlement, Release)


def test_a_task_that_raises_the_error_of_closing_has_failed():
    inbox = Inbox()

    async def function():
        raise GeneratorExit

    async def main():
        message = Message({}, {"task_id": "t"}, object())
        await executor(Paper(), deque([message]), function, inbox).run_next()

    asyncio.run(main())
    (message,) = inbox.messages
    assert isinstance(message.outcome.error, GeneratorExit)
    assert message.settlement is None


@pytest.mark.parametrize("waits", [0.0, 0.002])
def test_calls_do_not_pile_up_while_there_is_always_more_to_do(waits):
    async def function(x):
        await asyncio.sleep(waits)

    queue = MemoryBroker().queue("q")
    Publisher(queue).publish_many({"x": x} for x in range(3000))
    with Counted(10) as pool, Consumer(function, queue=queue, pool=pool) as consumer:
        consumer.start()
        assert wait_until(lambda: consumer.finished == 3000, PATIENCE, 0.01)
        assert pool.most <= 3 * pool.max_workers
