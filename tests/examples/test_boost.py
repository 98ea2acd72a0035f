"""Examples of funboost: `BoosterParams`, alone and inside `boost`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.examples.conftest import RunExample

POOL = """
import time
from fsdf import BoosterParams, BrokerEnum

@BoosterParams(queue_name="test_insteda_thread_queue", broker_kind=BrokerEnum.MEMORY_QUEUE, concurrent_num=10,
               is_auto_start_consuming_message=True)
def f(x):
    time.sleep(3)
    print(x)

if __name__ == "__main__":
    for i in range(100):
        f.push(i)
"""

SIMPLE = """
import time
from fsdf import boost, BrokerEnum, BoosterParams

@boost(BoosterParams(queue_name="task_queue_name1", qps=5, broker_kind=BrokerEnum.SQLITE_QUEUE))
def task_fun(x, y):
    print(f"{x} + {y} = {x + y}")
    time.sleep(3)

if __name__ == "__main__":
    for i in range(100):
        task_fun.push(i, y=i * 2)
    task_fun.consume()
"""

EQUAL = """
from fsdf import boost, BoosterParams

{decorator}
def task_fun(a: int, b: int):
    print(f"a:{{a}},b:{{b}}")
    return a + b

if __name__ == "__main__":
    for i in range(10):
        task_fun.push(i, b=i * 2)
    print(task_fun(1, 2))
    task_fun.consume()
"""


def test_instead_of_a_thread_pool(run_example: RunExample) -> None:
    example = run_example(POOL)
    first = example.until([r"^\d+\n"])
    assert first >= 3
    example.until([r"(?s)^(?:\d+\s+){10}"])
    assert sorted(int(word) for word in example.output.split()[:10]) == list(range(10))
    # The second ten wait for the first.
    assert example.until([r"(?s)^(?:\d+\s+){11}"]) - first >= 2.5
    assert example.terminate() == 0


def test_the_simple_example(run_example: RunExample) -> None:
    example = run_example(SIMPLE)
    first = example.until([r"0 \+ 0 = 0\n"])
    assert example.until([r"11 \+ 22 = 33\n"]) - first >= 10 / 5
    assert example.terminate() == 0
    results = re.findall(r"^(\d+) \+ (\d+) = (\d+)$", example.output, re.MULTILINE)
    assert len(set(results)) == len(results) >= 12


def test_a_restarted_script_goes_on_where_it_ended(run_example: RunExample) -> None:
    example = run_example(SIMPLE)
    example.until([r"3 \+ 6 = 9\n"])
    assert example.terminate() == 0
    done = set(re.findall(r"^(\d+) \+", example.output, re.MULTILINE))
    again = run_example(SIMPLE.replace("range(100)", "range(0)"))
    again.until([rf"{len(done) + 2} \+ "])
    assert again.terminate() == 0
    assert not done & set(re.findall(r"^(\d+) \+", again.output, re.MULTILINE))


@pytest.mark.parametrize(
    "decorator",
    [
        '@boost(BoosterParams(queue_name="task_queue_consume_any_msg"))',
        '@BoosterParams(queue_name="task_queue_consume_any_msg")',
    ],
)
def test_both_forms_are_equal(run_example: RunExample, decorator: str) -> None:
    example = run_example(EQUAL.format(decorator=decorator))
    example.until(["^a:1,b:2\n3\n", *(f"a:{i},b:{i * 2}\n" for i in range(10))])
    assert (example.process.poll(), example.terminate()) == (None, 0)
