"""Executors over a queue, in one process."""

from __future__ import annotations

import math
import os
import threading
import time
from concurrent import futures
from typing import TYPE_CHECKING, Any

import pytest

from fsdf import (
    BoosterParams,
    BoostersManager,
    BrokerEnum,
    ConcurrentModeEnum,
    FunboostPool,
    MemoryExecutor,
    MemoryFunboostPool,
    QueueExecutor,
)
from fsdf_core.errors import ConfigurationError, EncodeError, HasNotAsyncResult, TaskFailed, TaskKilled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 60.0


@pytest.fixture
def params(queue_name: str) -> Callable[..., BoosterParams]:
    """Parameters on a queue in memory."""

    def make(**given: Any) -> BoosterParams:
        return BoosterParams(
            **{"queue_name": queue_name, "broker_kind": BrokerEnum.MEMORY_QUEUE, "max_retry_times": 0, **given}
        )

    return make


@pytest.fixture
def executor(params: Callable[..., BoosterParams]) -> Iterator[QueueExecutor]:
    """One that consumes itself."""
    with QueueExecutor(params()) as made:
        yield made


def test_functions_that_others_cannot_find_are_refused(executor: QueueExecutor) -> None:
    with pytest.raises(ConfigurationError, match="top level of a module"):
        executor.submit(lambda: 1)


def test_arguments_are_json_data(params: Callable[..., BoosterParams]) -> None:
    executor = QueueExecutor(params(broker_kind=BrokerEnum.SQLITE_QUEUE), consume=False)
    with pytest.raises(EncodeError):
        executor.submit(id, object())
    executor.shutdown()


def test_a_failed_call_says_where(executor: QueueExecutor) -> None:
    future = executor.submit(math.sqrt, -1)
    with pytest.raises(TaskFailed, match="math domain error") as caught:
        future.result(PATIENCE)
    assert "In the worker:" in str(caught.value)
    assert caught.value.task_id == future.task_id


def test_functions_of_other_modules_are_not_called(params: Callable[..., BoosterParams]) -> None:
    with QueueExecutor(params(), modules=["math", "os.path"]) as executor:
        assert executor.submit(math.sqrt, 4).result(PATIENCE) == 2
        with pytest.raises(TaskFailed, match="may not be called: its module is none of math, os.path"):
            executor.submit(os.getcwd).result(PATIENCE)
        # What a permitted module has imported.
        packed = {"function": "os.path:os.getcwd", "args": [], "kwargs": {}}
        published = executor._booster.publish(packed)
        with pytest.raises(TaskFailed, match="may not be called"):
            published.get(PATIENCE)


def test_unknown_functions_fail(executor: QueueExecutor) -> None:
    for reference in ("nowhere:f", "math:nothing", "math", ":x", "math:pi"):
        published = executor._booster.publish({"function": reference, "args": [], "kwargs": {}})
        with pytest.raises(TaskFailed, match="cannot be found here|is no function"):
            published.get(PATIENCE)


def test_after_the_end_nothing_is_accepted(params: Callable[..., BoosterParams]) -> None:
    executor = QueueExecutor(params())
    future = executor.submit(math.sqrt, 9)
    executor.shutdown()
    assert future.done()
    assert future.result() == 3
    with pytest.raises(RuntimeError, match="it was shut down"):
        executor.submit(math.sqrt, 9)
    with pytest.raises(RuntimeError, match="it was shut down"):
        executor.map(math.sqrt, [9])


def test_a_call_that_nobody_runs_has_no_result(params: Callable[..., BoosterParams]) -> None:
    executor = QueueExecutor(params(rpc_timeout=0.2), consume=False)
    with pytest.raises(HasNotAsyncResult):
        executor.submit(math.sqrt, 9).result(PATIENCE)


def test_results_and_order(executor: QueueExecutor) -> None:
    assert executor.submit(math.pow, 2, 3).result(PATIENCE) == 8
    assert executor.submit(sorted, [2, 3, 1], reverse=True).result(PATIENCE) == [3, 2, 1]
    assert list(executor.map(math.pow, range(500), [2] * 500)) == [number**2 for number in range(500)]


def test_waiting_is_that_of_the_standard_library(executor: QueueExecutor) -> None:
    submitted = [executor.submit(math.sqrt, number) for number in (1, 4, 9)]
    done, pending = futures.wait(submitted, PATIENCE)
    assert not pending
    assert {future.result() for future in futures.as_completed(done, PATIENCE)} == {1, 2, 3}


def test_given_up_calls(params: Callable[..., BoosterParams]) -> None:
    executor = QueueExecutor(params(), consume=False)
    future = executor.submit(math.sqrt, 9)
    assert future.cancel()
    assert future.cancel()
    assert future.cancelled()
    done, _ = futures.wait([future], PATIENCE)
    assert done == {future}
    other = executor.submit(math.sqrt, 9)
    executor.shutdown(cancel_futures=True)
    assert other.cancelled()


def test_a_running_call_is_killed_when_that_is_wanted(params: Callable[..., BoosterParams]) -> None:
    begun, ended = threading.Event(), threading.Event()
    caught: list[BaseException] = []

    def endless() -> None:
        begun.set()
        try:
            while not ended.wait(0.01):
                pass
        except BaseException as error:
            caught.append(error)
            raise
        finally:
            ended.set()

    with MemoryExecutor(2, is_support_remote_kill_task=True, max_retry_times=0) as executor:
        future = executor.submit(endless)
        assert begun.wait(PATIENCE)
        assert future.cancel()
        assert ended.wait(PATIENCE)
    assert not isinstance(caught[0], TaskKilled | Exception)


def test_a_queue_that_others_can_write_to_needs_names_of_modules(params: Callable[..., BoosterParams]) -> None:
    with pytest.raises(ConfigurationError, match="modules="):
        QueueExecutor(params(broker_kind=BrokerEnum.SQLITE_QUEUE))


def test_objects_stay_themselves_in_one_process() -> None:
    with MemoryExecutor(5) as executor:
        thing = object()
        assert executor.submit(lambda it: it, thing).result(PATIENCE) is thing
        failed = executor.submit(lambda: 1 / 0).exception(PATIENCE)
        assert isinstance(failed, TaskFailed)
        assert isinstance(failed.__cause__, ZeroDivisionError)
        assert list(executor.map(lambda x, y: x + y, "ab", "cd")) == ["ac", "bd"]
    assert not executor._calls
    assert not executor._pending


def test_the_parameters_of_a_task_hold_for_calls() -> None:
    attempts: list[float] = []

    def second_time() -> int:
        attempts.append(time.monotonic())
        if len(attempts) == 1:
            raise ValueError("not yet")
        return len(attempts)

    with MemoryExecutor(max_retry_times=1) as executor:
        assert executor.submit(second_time).result(PATIENCE) == 2


@pytest.mark.parametrize("mode", [ConcurrentModeEnum.ASYNC, ConcurrentModeEnum.THREADING])
def test_async_functions(mode: ConcurrentModeEnum) -> None:
    async def square(x: int) -> int:
        return x * x

    with MemoryExecutor(5, concurrent_mode=mode) as executor:
        assert executor.submit(square, 3).result(PATIENCE) == 9  # type: ignore[comparison-overlap]
        assert executor.submit(lambda: 7).result(PATIENCE) == 7


@pytest.mark.parametrize("mode", [ConcurrentModeEnum.PROCESS, ConcurrentModeEnum.RAY])
def test_objects_of_this_process_cannot_be_called_in_another(mode: ConcurrentModeEnum) -> None:
    with pytest.raises(ConfigurationError, match="stay in this process: for other processes use QueueExecutor"):
        MemoryExecutor(concurrent_mode=mode)


def test_known_names() -> None:
    assert FunboostPool is QueueExecutor
    with MemoryFunboostPool(3, 1000) as pool:
        assert pool.submit(math.sqrt, 4).result(PATIENCE) == 2
    assert not any(name.startswith("fsdf-executor") for name in BoostersManager.get_all_queues())
