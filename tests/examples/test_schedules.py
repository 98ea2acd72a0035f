"""Examples with schedules: the older framework's background scheduler, and funboost's `ApsJobAdder`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.examples.conftest import RunExample

BACKGROUND = """
import datetime
from fsdf import task_deco, BrokerEnum, fsdf_background_scheduler, timing_publish_deco

@task_deco("queue_test_666", broker_kind=BrokerEnum.LOCAL_PYTHON_QUEUE)
def consume_func(x, y):
    print(f"{x} + {y} = {x + y}")

if __name__ == "__main__":
    now = datetime.datetime.now()
    soon = now + datetime.timedelta(seconds=5)
    fsdf_background_scheduler.add_job(timing_publish_deco(consume_func), "interval", id="1_second_job", seconds=1,
                                      kwargs={"x": 5, "y": 6})
    fsdf_background_scheduler.add_job(timing_publish_deco(consume_func), "date",
                                      run_date=datetime.datetime(2020, 7, 24, 13, 53, 6), args=(5, 6,))
    fsdf_background_scheduler.add_timing_publish_job(consume_func, "cron", day_of_week="*", hour=soon.hour,
                                                     minute=soon.minute, second=soon.second, args=(50, 60,))
    fsdf_background_scheduler.start()
    consume_func.consume()
"""

TOGETHER = """
import datetime
import time
from fsdf import boost, BrokerEnum, BoosterParams, ctrl_c_recv, ConcurrentModeEnum, ApsJobAdder

class MyBoosterParams(BoosterParams):
    broker_kind: str = BrokerEnum.{kind}
    max_retry_times: int = 3
    concurrent_mode: str = ConcurrentModeEnum.THREADING

@boost(MyBoosterParams(queue_name="s1_queue", qps=10))
def step1(a: int, b: int):
    print(f"a={{a}},b={{b}}")
    time.sleep(0.07)
    for j in range(10):
        step2.push(c=a + b + j, d=a * b + j, e=a - b + j)
    return a + b

@boost(MyBoosterParams(queue_name="s2_queue", qps=30, max_retry_times=5))
def step2(c: int, d: int, e: int = 666):
    time.sleep(0.3)
    print(f"c={{c}},d={{d}},e={{e}}")
    return c * d * e

if __name__ == "__main__":
    step1.clear()
    step2.clear()
    step1.consume()
    step2.consume()
    step1.push(100, b=200)
    for i in range(5):
        step1.push(i, i * 2)
        step1.publish({{"a": i, "b": i * 2}}, task_id=f"task_{{i}}")
    soon = datetime.datetime.now() + datetime.timedelta(seconds=5)
    ApsJobAdder(step2, job_store_kind="sql", is_auto_start=True).add_push_job(
        trigger="date", run_date=soon.strftime("%Y-%m-%d %H:%M:%S"), args=(7, 8, 9), id="date_job1",
        replace_existing=True)
    ApsJobAdder(step2, job_store_kind="sql").add_push_job(
        trigger="interval", seconds=1, args=(4, 6, 10), id="interval_job1", replace_existing=True)
    ApsJobAdder(step2, job_store_kind="sql").add_push_job(
        trigger="cron", day_of_week="*", hour=soon.hour, minute=soon.minute, second=soon.second,
        kwargs={{"c": 50, "d": 60, "e": 70}}, replace_existing=True, id="cron_job1")
    ctrl_c_recv()
"""


def lines(begin: str, count: int) -> str:
    """Return a pattern for so many lines that begin so; in one pass, however many there are."""
    return rf"(?m)(?:^{begin}[^\n]*\n(?:(?!{begin})[^\n]*\n)*){{{count}}}"


def test_the_background_scheduler(run_example: RunExample) -> None:
    example = run_example(BACKGROUND)
    example.until([lines(r"5 \+ 6 = 11", 4), r"50 \+ 60 = 110"])
    assert example.terminate() == 0
    assert example.output.count("50 + 60 = 110") == 1


def steps(example_output: str) -> None:
    assert example_output.count("c=7,d=8,e=9\n") == 1
    assert example_output.count("c=50,d=60,e=70\n") == 1
    # print() writes its newline apart, so that two threads may share a line.
    assert len(re.findall(r"a=\d+,b=\d+", example_output)) == 11


def test_many_features_together(run_example: RunExample) -> None:
    example = run_example(TOGETHER.format(kind="SQLITE_QUEUE"))
    example.until(
        [r"c=7,d=8,e=9", r"c=50,d=60,e=70", lines("c=4,d=6,e=10", 3), r"(?s)(?:\ba=.*?){11}", lines("c=", 115)]
    )
    assert example.terminate() == 0
    steps(example.output)


def test_many_features_together_on_redis(run_example: RunExample, redis_url: str) -> None:
    example = run_example(TOGETHER.format(kind="REDIS_ACK_ABLE"), FSDF_REDIS_URL=redis_url)
    example.until(
        [r"c=7,d=8,e=9", r"c=50,d=60,e=70", lines("c=4,d=6,e=10", 3), r"(?s)(?:\ba=.*?){11}", lines("c=", 115)]
    )
    assert example.terminate() == 0
    steps(example.output)
