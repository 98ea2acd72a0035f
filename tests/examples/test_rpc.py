"""Examples of funboost and function_scheduling_distributed_framework that get results back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.examples.conftest import RunExample

ALL_TOGETHER = """
from fsdf import boost, BrokerEnum, BoosterParams, ctrl_c_recv, ConcurrentModeEnum, ApsJobAdder
import time

class MyBoosterParams(BoosterParams):
    broker_kind: str = BrokerEnum.REDIS_ACK_ABLE
    max_retry_times: int = 3
    concurrent_mode: str = ConcurrentModeEnum.THREADING

@boost(MyBoosterParams(queue_name='s1_queue', qps=1,
                       is_using_rpc_mode=True,
                       ))
def step1(a: int, b: int):
    print(f'a={a},b={b}')
    time.sleep(0.7)
    for j in range(10):
        step2.push(c=a + b + j, d=a * b + j, e=a - b + j)
    return a + b

@boost(MyBoosterParams(queue_name='s2_queue', qps=3,
                      max_retry_times=5,
))
def step2(c: int, d: int, e: int = 666):
    time.sleep(3)
    print(f'c={c},d={d},e={e}')
    return c * d * e

if __name__ == '__main__':
    step1.clear()
    step2.clear()

    step1.consume()
    step2.consume()
    step2.multi_process_consume(3)

    async_result = step1.push(100, b=200)
    print('the result of step1:', async_result.result)

    for i in range(100):
        step1.push(i, i * 2)
        step1.publish({'a': i, 'b': i * 2}, task_id=f'task_{i}')

    ApsJobAdder(step2,
               job_store_kind='redis',
               is_auto_start=True,
    ).add_push_job(
        trigger='date',
        run_date='2025-06-30 16:25:40',
        args=(7, 8, 9),
        id='date_job1',
        replace_existing=True,
    )
    ApsJobAdder(step2, job_store_kind='redis').add_push_job(
        trigger='interval',
        seconds=30,
        args=(4, 6, 10),
        id='interval_job1',
        replace_existing=True,
    )
    ApsJobAdder(step2, job_store_kind='redis').add_push_job(
        trigger='cron',
        day_of_week='*',
        hour=23,
        minute=49,
        second=50,
        kwargs={"c": 50, "d": 60, "e": 70},
        replace_existing=True,
        id='cron_job1')

    ctrl_c_recv()
"""

CONSUME = """
from fsdf import task_deco, BrokerEnum

@task_deco('test_rpc_queue', is_using_rpc_mode=True, broker_kind=BrokerEnum.REDIS_ACK_ABLE)
def add(a, b):
    return a + b

if __name__ == '__main__':
    add.consume()
    print("consuming")
"""

PUBLISH = """
from test_consume import add
from fsdf import PriorityConsumingControlConfig

for i in range(100):
    async_result = add.push(i, i * 2)
    print(async_result.result)
    async_result = add.publish(dict(a=i * 10, b=i * 20),
                               priority_control_config=PriorityConsumingControlConfig(is_using_rpc_mode=True))
    print(async_result.status_and_result)
"""


def test_all_together(run_example: RunExample, redis_url: str) -> None:
    example = run_example(ALL_TOGETHER, FSDF_REDIS_URL=redis_url)
    example.until(["a=100,b=200\n", "the result of step1: 300\n", r"c=300,d=20000,e=-100\n", "a=0,b=0\n"], seconds=90)
    assert example.terminate() == 0


def test_a_call_of_a_remote_function(run_example: RunExample, tmp_path: Path, redis_url: str) -> None:
    (tmp_path / "test_consume.py").write_text(CONSUME, encoding="utf-8")
    server = run_example(CONSUME, FSDF_REDIS_URL=redis_url, FSDF_STATE_URL=redis_url)
    server.until(["consuming"], seconds=60)
    client = run_example(PUBLISH, FSDF_REDIS_URL=redis_url, FSDF_STATE_URL=redis_url)
    assert client.rest() == 0, client.output
    assert re.findall(r"^\d+$", client.output, re.MULTILINE) == [str(3 * i) for i in range(100)]
    assert re.findall(r"'result': (\d+)", client.output) == [str(30 * i) for i in range(100)]
    assert server.terminate() == 0
