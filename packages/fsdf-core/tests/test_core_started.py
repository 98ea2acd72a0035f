"""Coroutines that were begun by hand are awaited to their ends."""

import asyncio

import pytest

from fsdf_core.started import Started


def begun(coroutine):
    return Started(coroutine, coroutine.send(None))


async def double(x, turns):
    for _ in range(turns):
        await asyncio.sleep(0)
    return 2 * x


@pytest.mark.parametrize("turns", [1, 2, 5])
def test_the_result_is_the_coroutines(turns):
    async def main():
        return await begun(double(4, turns))

    assert asyncio.run(main()) == 8


def test_errors_are_the_coroutines():
    async def broken():
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def main():
        await begun(broken())

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())


@pytest.mark.parametrize("more", [0, 3])
def test_what_is_thrown_in_reaches_the_coroutine(more):
    async def stubborn():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return await double(5, more)

    async def main():
        task = asyncio.ensure_future(running())
        await asyncio.sleep(0)
        task.cancel()
        return await task

    async def running():
        return await begun(stubborn())

    assert asyncio.run(main()) == 10


def test_a_cancelled_one_is_cancelled():
    async def running():
        await begun(asyncio.sleep(60))

    async def main():
        task = asyncio.ensure_future(running())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


def test_closing_closes_the_coroutine():
    ended = []

    async def waiting():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    loop = asyncio.new_event_loop()

    async def main():
        awaiting = begun(waiting()).__await__()
        next(awaiting)
        awaiting.close()

    loop.run_until_complete(main())
    loop.close()
    assert ended == [1]
