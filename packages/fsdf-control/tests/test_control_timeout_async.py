"""Timeouts of coroutines."""

import asyncio

import pytest

from fsdf_control import Timeout
from fsdf_core.errors import TaskTimeout
from fsdf_core.host import Abandoned
from fsdf_core.message import Message

PATIENCE = 30.0


def test_a_coroutine_is_cancelled(host):
    control = Timeout(0.05)
    control.start(host())
    cleaned = []

    async def task(message):
        try:
            await asyncio.sleep(30)
        finally:
            cleaned.append(1)

    with pytest.raises(TaskTimeout):
        asyncio.run(control.around_async(task)(Message({}, {"task_id": "t"})))
    assert cleaned == [1]
    control.stop()


def test_a_coroutine_that_ends_in_time_gives_its_result_or_error():
    control = Timeout(5)

    async def good(message):
        return 5

    async def bad(message):
        raise KeyError("x")

    assert asyncio.run(control.around_async(good)(Message({}, {}))) == 5
    with pytest.raises(KeyError):
        asyncio.run(control.around_async(bad)(Message({}, {})))


def test_a_coroutine_that_will_not_end_is_given_up(host):
    abandoned = []
    control = Timeout(0.02, grace=0.05)
    control.start(host(abandoned))
    message = Message({}, {"task_id": "t"})

    async def stubborn(message):
        while not abandoned:
            try:
                await asyncio.sleep(0.15)
            except asyncio.CancelledError:
                continue

    with pytest.raises(Abandoned):
        asyncio.run(control.around_async(stubborn)(message))
    assert [type(error) for _, error in abandoned] == [TaskTimeout]
    control.stop()


def test_cancelling_from_outside_is_passed_on():
    control = Timeout(30)
    ended = []

    async def task(message):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append(1)
            raise

    async def main():
        running = asyncio.ensure_future(control.around_async(task)(Message({}, {})))
        await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert ended == [1]
