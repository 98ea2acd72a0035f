"""What both checkers must accept, with the types that reach the user."""

from __future__ import annotations

from typing_extensions import assert_type

from fsdf import (
    AioAsyncResult,
    AsyncResult,
    Booster,
    BoosterParams,
    BrokerEnum,
    ConcurrentModeEnum,
    TaskOptions,
    boost,
    get_consumer,
    patch_frame_config,
    task_deco,
)


@boost("sums", qps=5, broker_kind=BrokerEnum.SQLITE_QUEUE)
def add(x: int, y: int = 1) -> int:
    return x + y


class MyParams(BoosterParams):
    broker_kind: str = BrokerEnum.REDIS_ACK_ABLE
    max_retry_times: int = 3
    concurrent_mode: str = ConcurrentModeEnum.THREADING


@boost(MyParams(queue_name="texts", qps=1))
def text(word: str, *, times: int) -> str:
    return word * times


@BoosterParams(queue_name="nothing", concurrent_num=10)
def nothing() -> None: ...


@task_deco("old")
def old(a: float) -> list[float]:
    return [a]


class Account:
    def __init__(self, number: int) -> None:
        self.obj_init_params = {"number": number}

    @BoosterParams(queue_name="deposits")
    def deposit(self, amount: int) -> bool:
        return amount > 0


assert_type(add(1, y=2), int)
assert_type(add.push(1, y=2), AsyncResult[int])
assert_type(add.delay(1), AsyncResult[int])
assert_type(add.push(1).task_id, str)
assert_type(add.push(1).result, int)
assert_type(add.push(1).get(timeout=5), int)
assert_type(add.push(1).set_timeout(5), AsyncResult[int])
assert_type(add.publish({"x": 1}, task_id="a", task_options=TaskOptions(max_retry_times=0)), AsyncResult[int])
assert_type(add.push_many([(1, 2), {"x": 1}]), list[AsyncResult[int]])
assert_type(add.stop(timeout=1.5), bool)
assert_type(text.push("a", times=2), AsyncResult[str])
assert_type(nothing.push(), AsyncResult[None])
assert_type(old.push(1.5), AsyncResult[list[float]])
assert_type(Account(1).deposit(5), bool)
assert_type(Account(1).deposit.push(5), AsyncResult[bool])
assert_type(Account(1).deposit.push(amount=5), AsyncResult[bool])
assert_type(Account.deposit.push(Account(1), 5), AsyncResult[bool])
assert_type(add.consuming_function(1), int)

consumer = get_consumer("direct", consuming_function=add.consuming_function, broker_kind=6)
assert_type(consumer.publisher_of_same_queue.push(1, 2), AsyncResult[int])
consumer.start_consuming_message()
patch_frame_config(timezone="UTC")


async def waits() -> None:
    handle = await add.aio_push(1, y=2)
    assert_type(handle, AioAsyncResult[int])
    assert_type(await handle, int)
    assert_type(await handle.get(timeout=5), int)


def takes_any(task: Booster[..., int]) -> None:
    task.consume()


takes_any(add)
