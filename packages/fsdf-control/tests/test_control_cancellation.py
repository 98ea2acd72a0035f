"""Cancellation of coroutines: ours, from outside, both, and those that block the loop."""

import asyncio
import logging
import sys
import threading
import time

import pytest

from fsdf_control.timeout import Timeout
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.errors import TaskTimeout
from fsdf_core.host import Abandoned, Host
from fsdf_core.message import Message
from fsdf_pools import SoloExecutor

PATIENCE = 30.0
MESSAGE = Message({}, {"task_id": "t"})


@pytest.fixture
def abandoned():
    return []


@pytest.fixture
def limit(abandoned):
    """Return a function that limits a coroutine function."""
    controls = []

    def limited(seconds, task, grace=0.2):
        control = Timeout(seconds, grace)
        controls.append(control)
        control.start(
            Host(
                queue=MemoryBroker().queue("q"),
                consumer_id="c",
                pool=SoloExecutor(),
                clock=SYSTEM_CLOCK,
                logger=logging.getLogger("fsdf.q"),
                stopping=threading.Event(),
                wake=lambda: None,
                abandon=lambda message, error: abandoned.append(error),
            )
        )
        return control.around_async(task)

    yield limited
    for control in controls:
        control.stop()


async def forever(message):
    await asyncio.sleep(PATIENCE)


def test_its_task_goes_on_as_if_never_cancelled(limit):
    async def main():
        with pytest.raises(TaskTimeout):
            await limit(0.02, forever)(MESSAGE)
        await asyncio.sleep(0)
        if sys.version_info >= (3, 11):
            assert asyncio.current_task().cancelling() == 0
        return "went on"

    assert asyncio.run(main()) == "went on"


def test_a_cancelled_error_of_its_own_is_its_own(limit):
    async def cancels_itself(message):
        raise asyncio.CancelledError("mine")

    async def main():
        with pytest.raises(asyncio.CancelledError, match="mine"):
            await limit(PATIENCE, cancels_itself)(MESSAGE)

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tasks count their cancellations from Python 3.11 on")
def test_a_cancellation_from_outside_that_meets_the_limit_passes(limit):
    async def slow_to_clean_up(message):
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            cleaning.set()
            await asyncio.sleep(PATIENCE)

    cleaning = asyncio.Event()

    async def main():
        task = asyncio.ensure_future(limit(0.02, slow_to_clean_up, grace=PATIENCE)(MESSAGE))
        await cleaning.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_one_that_returns_after_its_limit_has_failed(limit):
    async def indifferent(message):
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            return "done"

    with pytest.raises(TaskTimeout):
        asyncio.run(limit(0.02, indifferent)(MESSAGE))


def test_one_that_blocks_the_loop_is_abandoned_and_shown(limit, abandoned, caplog):
    async def blocks_the_loop(message):
        until = time.monotonic() + PATIENCE
        while not abandoned and time.monotonic() < until:
            threading.Event().wait(0.01)
        threading.Event().wait(0.1)

    with pytest.raises(Abandoned):
        asyncio.run(limit(0.02, blocks_the_loop, grace=0.05)(MESSAGE))
    assert [type(error) for error in abandoned] == [TaskTimeout]
    assert "blocks_the_loop" in caplog.text


def test_many_that_end_about_at_their_limit(limit):
    """Each has one ending, and nothing reaches what the task does afterwards."""
    endings = []

    async def naps(message):
        await asyncio.sleep(message.arguments["seconds"])
        return "done"

    limited = limit(0.02, naps, grace=PATIENCE)

    async def one(number):
        seconds = PATIENCE if number % 10 == 9 else 0.015 + number % 10 * 0.001
        try:
            endings.append(await limited(Message({"seconds": seconds}, {})))
        except TaskTimeout:
            endings.append("stopped")
        await asyncio.sleep(0.001)
        return number

    async def main():
        return await asyncio.gather(*(one(number) for number in range(1000)))

    assert asyncio.run(main()) == list(range(1000))
    assert len(endings) == 1000
    assert "stopped" in endings
