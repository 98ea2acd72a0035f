"""Examples of function_scheduling_distributed_framework: `task_deco` and `get_consumer`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.examples.conftest import RunExample

SIMPLE = """
import time
from fsdf import task_deco, BrokerEnum

@task_deco("task_queue_name1", qps=5, broker_kind=BrokerEnum.PERSISTQUEUE)
def task_fun(x, y):
    print(f"{x} + {y} = {x + y}")
    time.sleep(3)

if __name__ == "__main__":
    for i in range(100):
        task_fun.push(i, y=i * 2)
    task_fun.consume()
"""

BY_HAND = """
import time
from fsdf import get_consumer

def f2(a, b):
    print(f"begin {a} + {b}")
    time.sleep(10)
    print(f"end {a} + {b} = {a + b}")

consumer = get_consumer("queue_test2", consuming_function=f2, broker_kind=6)
consumer.publisher_of_same_queue.clear()
[consumer.publisher_of_same_queue.publish(dict(a=i, b=i * 2)) for i in range(150)]
consumer.start_consuming_message()
"""

DECORATED = """
from fsdf import task_deco, BrokerEnum

@task_deco("queue_test_f01", qps=0.2, broker_kind=BrokerEnum.REDIS_ACK_ABLE)
def add(a, b):
    print(a + b)

for i in range(10, 20):
    add.pub(dict(a=i, b=i * 2))
    add.push(i, b=i * 2)
add.consume()
"""

UNDECORATED = """
from fsdf import get_consumer, BrokerEnum

def add(a, b):
    print(a + b)

consumer = get_consumer("queue_test_f01", consuming_function=add, qps=0.2, broker_kind=BrokerEnum.REDIS_ACK_ABLE)
for i in range(10, 20):
    consumer.publisher_of_same_queue.publish(dict(a=i, b=i * 2))
consumer.start_consuming_message()
"""

STEPS = """
import time
from fsdf import task_deco, BrokerEnum

@task_deco("queue_test_step1", qps=0.5, broker_kind=BrokerEnum.LOCAL_PYTHON_QUEUE)
def step1(x):
    print(f"x is {x}")
    if x == 0:
        for i in range(1, 300):
            step1.pub(dict(x=x + i))
    for j in range(10):
        step2.push(x * 100 + j)
    time.sleep(10)

@task_deco("queue_test_step2", qps=3, broker_kind=BrokerEnum.LOCAL_PYTHON_QUEUE)
def step2(y):
    print(f"y is {y}")
    time.sleep(10)

if __name__ == "__main__":
    step1.push(0)
    step1.consume()
    step2.consume()
"""


def test_the_simple_example(run_example: RunExample) -> None:
    example = run_example(SIMPLE)
    first = example.until([r"0 \+ 0 = 0\n"])
    # More starts than one thread could do in the time, and no more than the rate allows.
    assert example.until([r"11 \+ 22 = 33\n"]) - first >= 10 / 5
    assert example.terminate() == 0
    results = re.findall(r"^(\d+) \+ (\d+) = (\d+)$", example.output, re.MULTILINE)
    assert len(set(results)) == len(results) >= 12


def test_the_consumer_by_hand(run_example: RunExample) -> None:
    example = run_example(BY_HAND)
    # 50 workers: so many begin before the first has slept its ten seconds.
    example.until([r"begin 0 \+ 0", r"begin 40 \+ 80"], seconds=20)
    assert "end" not in example.output
    example.until([r"end 0 \+ 0 = 0", r"begin 60 \+ 120"])
    assert example.terminate() == 0
    begun, ended = (set(re.findall(rf"{word} (\d+) \+", example.output)) for word in ("begin", "end"))
    assert begun == ended
    assert len(begun) < 150


def test_the_decorator_on_redis(run_example: RunExample, redis_url: str) -> None:
    example = run_example(DECORATED, FSDF_REDIS_URL=redis_url)
    first = example.until([r"^30\n"])
    # The second task of a pair is due 5 s after the first.
    assert 4.5 <= example.until([r"^30\n30\n"]) - first <= 8
    assert example.terminate() == 0
    assert example.output == "30\n30\n"


def test_the_undecorated_function_on_redis(run_example: RunExample, redis_url: str) -> None:
    example = run_example(UNDECORATED, FSDF_REDIS_URL=redis_url)
    first = example.until([r"^30\n"])
    assert 4.5 <= example.until([r"^30\n33\n"]) - first <= 8
    assert example.terminate() == 0


def test_two_queues_in_steps(run_example: RunExample) -> None:
    example = run_example(STEPS)
    first = example.until(["x is 0\n"])
    second = example.until(["x is 1\n"])
    assert second - first >= 1.9
    example.until(["y is 0\n", "y is 9\n"])
    assert example.terminate() == 0
    assert len(re.findall("x is", example.output)) <= 6
