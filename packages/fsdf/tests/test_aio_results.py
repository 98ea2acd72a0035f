"""`AioAsyncResult`: waiting for a task in a coroutine."""

from __future__ import annotations

import asyncio

import pytest

from fsdf import AioAsyncResult, HasNotAsyncResult, TaskFailed

PATIENCE = 60


@pytest.fixture
def task(decorate, kind):
    """Divides, with results."""
    made = decorate(lambda x, y=1: 100 * x // y, broker_kind=kind, is_using_rpc_mode=True, max_retry_times=0)
    yield made
    made.stop(PATIENCE)


def test_nobody_consumes(task):
    async def main():
        result = (await task.aio_push(1)).set_timeout(0.05)
        assert await result.is_pending()
        for ask in (result.get(), result.is_success(), result.wait_rpc_data_or_raise(), result.result):
            with pytest.raises(HasNotAsyncResult, match=rf"{result.task_id} has no result after 0.05 s"):
                await ask
        with pytest.raises(HasNotAsyncResult):
            await result
        assert await result.status_and_result is None
        assert await result.wait_rpc_data_or_raise(raise_exception=False) is None

    asyncio.run(main())


def test_a_cancelled_wait_leaves_nothing_behind(task):
    async def main():
        result = await task.aio_push(1)
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await asyncio.wait_for(result.get(), 0.2)
        task.consume()
        assert await result.get(PATIENCE) == 100

    asyncio.run(main())


def test_a_loop_that_is_gone_when_the_answer_comes(task):
    async def main():
        result = await task.aio_push(1)
        waiting = asyncio.ensure_future(result.get())
        await asyncio.sleep(0)
        return result, waiting

    result, waiting = asyncio.run(main())
    assert waiting.cancelled()
    task.consume()
    assert asyncio.run(result.get(PATIENCE)) == 100


def test_failures(task):
    async def main():
        task.consume()
        result = await task.aio_push(1, y=0)
        for ask in (result.get(), result.wait_rpc_data_or_raise(), result.result):
            with pytest.raises(TaskFailed, match="ZeroDivisionError"):
                await ask
        assert not await result.is_success()
        assert (await result.status_and_result)["exception_type"] == "ZeroDivisionError"
        assert not (await result.status_and_result_obj).success

    asyncio.run(main())


def test_many_at_once(task):
    async def main():
        results = [await task.aio_push(x) for x in range(50)]
        task.consume()
        assert await asyncio.gather(*results) == [100 * x for x in range(50)]
        statuses = await AioAsyncResult.batch_wait_rpc_data_or_raise(results)
        assert [status.result for status in statuses] == [100 * x for x in range(50)]
        by_id = AioAsyncResult(results[7].task_id, timeout=PATIENCE)
        assert by_id == results[7]
        assert await by_id == 700

    asyncio.run(main())


def test_callbacks_are_coroutines(task):
    async def main():
        task.consume()
        told = []

        async def callback(status):
            told.append(status["result"])

        result = await task.aio_publish({"x": 3}, task_id="mine")
        await result.set_callback(callback)
        assert told == [300]
        assert repr(result) == "AioAsyncResult('mine')"

    asyncio.run(main())


def test_the_loop_goes_on_while_somebody_waits(task):
    async def main():
        waiting = asyncio.ensure_future((await task.aio_push(1)).get())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        task.consume()
        assert await asyncio.wait_for(waiting, PATIENCE) == 100

    asyncio.run(main())
