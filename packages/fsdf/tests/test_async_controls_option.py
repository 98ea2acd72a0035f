"""The user's own rules and micro-batches, in ASYNC mode, through the decorator."""

import asyncio

import pytest

from fsdf_core.control import Control
from fsdf_core.errors import ConfigurationError


class Doubles(Control):
    """Doubles what a coroutine returns."""

    def around(self, call):
        return lambda message: 2 * call(message)

    def around_async(self, call):
        async def doubled(message):
            return 2 * await call(message)

        return doubled


class PlainOnly(Control):
    def around(self, call):
        return call


@pytest.mark.parametrize("mode", ["ASYNC", "THREADING"])
def test_a_rule_of_the_users_own_goes_around_coroutines(decorate, ran, mode):
    async def task(x):
        await asyncio.sleep(0)
        return x

    task = decorate(
        task,
        concurrent_mode=mode,
        controls=[Doubles()],
        user_custom_record_process_info_func=lambda status: ran.put(status.result),
    )
    task.push(4)
    task.consume()
    assert ran.get(timeout=30) == 8


@pytest.mark.parametrize("mode", ["ASYNC", "THREADING"])
def test_a_rule_for_plain_calls_is_refused_at_consume(decorate, mode):
    async def task():
        """Nothing."""

    task = decorate(task, concurrent_mode=mode, controls=[PlainOnly()])
    with pytest.raises(ConfigurationError, match="PlainOnly wraps plain calls only, and .*task is async def"):
        task.consume()
    assert not task.consumer.running


def test_micro_batches_of_coroutines(decorate, ran):
    async def task(calls):
        await asyncio.sleep(0)
        for call in calls:
            ran.put((len(calls), call["x"]))

    task = decorate(task, concurrent_mode="ASYNC", micro_batch_size=5, micro_batch_timeout=0.2)
    task.push_many({"x": x} for x in range(10))
    task.consume()
    found = [ran.get(timeout=30) for _ in range(10)]
    assert sorted(x for _, x in found) == list(range(10))
    assert max(size for size, _ in found) == 5
