"""Tasks that run calls one after the other, and when they must not."""

import asyncio
import contextlib
import contextvars
import threading
import weakref

import pytest

from fsdf_pools import AsyncPool

PATIENCE = 30

variable = contextvars.ContextVar("variable", default=None)


@pytest.fixture
def pool():
    with AsyncPool(max_workers=10) as made:
        yield made


def run_in_turn(pool, call, count):
    """Run `call(number)` for each number, all made ready at once; return what they returned, in order."""
    numbers, found, done = iter(range(count)), {}, threading.Event()

    def note(number, result):
        found[number] = result
        if len(found) == count:
            done.set()

    async def wait_for(number, waiting):
        note(number, await waiting)

    def collect():
        number = next(numbers)
        result = call(number)
        if asyncio.iscoroutine(result):
            return wait_for(number, result)
        note(number, result)
        return None

    pool.execute_many(collect, count)
    assert done.wait(PATIENCE)
    return [found[number] for number in range(count)]


def task_name():
    return asyncio.current_task().get_name()


class Incomparable:
    def __eq__(self, other):
        raise ValueError("neither equal nor not")

    __hash__ = None


def test_calls_that_never_wait_share_a_task(pool):
    def call(number):
        return task_name()

    assert len(set(run_in_turn(pool, call, 5))) == 1


def test_calls_that_never_wait_leave_others_their_turn(pool):
    ended, seen, done = 0, [], threading.Event()

    def look():
        seen.append(ended)

    def call():
        nonlocal ended
        if not ended:
            asyncio.get_running_loop().call_soon(look)
        ended += 1
        if ended == 100_000:
            done.set()

    pool.execute_many(call, 100_000)
    assert done.wait(PATIENCE)
    assert seen[0] < 10_000


def test_a_call_knows_its_task_from_its_first_step_on(pool):
    async def call():
        first = asyncio.current_task()
        await asyncio.sleep(0)
        return first is not None and first is asyncio.current_task()

    assert pool.submit(call).result(PATIENCE)


def test_a_call_that_waits_has_its_task_for_itself(pool):
    running = set()

    async def wait(name):
        running.add(name)
        for _ in range(3):
            await asyncio.sleep(0)
            assert task_name() == name
        running.discard(name)
        return name

    def call(number):
        assert task_name() not in running
        return wait(task_name())

    assert len(run_in_turn(pool, call, 40)) == 40


def test_calls_that_have_waited_leave_their_tasks_to_others(pool):
    async def wait(name):
        await asyncio.sleep(0)
        return name

    assert len(set(run_in_turn(pool, lambda _: wait(task_name()), 100))) <= 10


def test_a_task_that_was_cancelled_while_a_call_waited_runs_no_other(pool):
    async def wait(number):
        name = task_name()
        if number == 3:
            asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return name

    with AsyncPool(max_workers=1) as single:
        names = run_in_turn(single, wait, 6)
    assert names[0] == names[3] != names[4] == names[5]


@pytest.mark.parametrize("left", [object(), Incomparable()])
def test_nothing_is_left_in_the_next_ones_context(pool, left):
    def call(number):
        found = variable.get()
        variable.set(left)
        return found

    assert run_in_turn(pool, call, 5) == [None] * 5


def test_what_was_set_before_can_be_set_anew(pool):
    def call(number):
        variable.reset(variable.set(number))
        return task_name()

    assert len(set(run_in_turn(pool, call, 5))) == 1


def keep(kept):
    kept.append(asyncio.current_task())


def watch(kept):
    asyncio.current_task().add_done_callback(lambda task: kept.append(task.get_name()))


def rename(kept):
    kept.append(asyncio.current_task().set_name("renamed"))


def point(kept):
    kept.append(weakref.ref(asyncio.current_task()))


def cancel(kept):
    asyncio.current_task().cancel()


@pytest.mark.parametrize("mark", [keep, point, watch, rename, cancel])
def test_a_task_that_a_call_has_marked_runs_no_other(pool, mark):
    kept = []

    def call(number):
        name = task_name()
        if number == 2:
            mark(kept)
        return name

    before, _, marked, after, last = run_in_turn(pool, call, 5)
    assert before == marked != after == last
    if mark is watch:
        assert kept == [marked]


def test_a_call_that_is_cancelled_may_wait_on(pool):
    entered, told = threading.Event(), []

    async def call():
        told.append(asyncio.current_task())
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return "cleaned up"

    future = pool.submit(call)
    assert entered.wait(PATIENCE)
    pool.loop.call_soon_threadsafe(told[0].cancel)
    assert future.result(PATIENCE) == "cleaned up"


def test_a_call_that_is_cancelled_may_end_at_once(pool):
    told = []

    async def call():
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        told.append("ended")
        return 1

    assert pool.submit(call).result(PATIENCE) == 1
    assert told == ["ended"]


def test_errors_of_calls_are_logged(pool, caplog):
    async def wait(number):
        await asyncio.sleep(0)
        raise SystemExit(number)

    numbers = iter(range(3))

    def call():
        number = next(numbers)
        if number < 2:
            return wait(number)
        raise SystemExit(number)

    pool.execute_many(call, 3)
    assert pool.submit(asyncio.sleep, 0, 7).result(PATIENCE) == 7
    assert pool.close(PATIENCE)
    assert {f"SystemExit: {number}" for number in range(3)} <= set(caplog.text.splitlines())


def test_tasks_that_somebody_cancels_before_they_begin_are_replaced(pool):
    ran = threading.Event()

    async def cancel_all():
        pool.execute_many(begun, 3)
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def begun():
        ran.set()

    pool.submit(cancel_all).result(PATIENCE)
    assert ran.wait(PATIENCE)
    assert pool.submit(asyncio.sleep, 0, 1).result(PATIENCE) == 1


def test_a_call_closed_with_its_loop_cleans_up():
    loop = asyncio.new_event_loop()
    pool = AsyncPool(loop=loop, run_loop=False)
    ended = []

    async def call():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    pool.execute_many(call, 1)
    loop.run_until_complete(asyncio.sleep(0.01))
    (task,) = asyncio.all_tasks(loop)
    task.get_coro().close()
    assert ended == [1]
    task._log_destroy_pending = False
    pool.close(0)
    loop.close()


def test_a_loop_with_a_task_factory_makes_a_task_for_each_call():
    made = []

    def factory(loop, coroutine, **options):
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop = asyncio.new_event_loop()
    loop.set_task_factory(factory)

    with AsyncPool(max_workers=10, loop=loop) as pool:
        pool.submit(asyncio.sleep, 0).result(PATIENCE)
        assert len(made) == 1
        run_in_turn(pool, lambda number: number, 5)
        assert len(made) >= 6
    loop.close()
