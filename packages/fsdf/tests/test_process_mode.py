"""PROCESS mode in processes of its own: signals, deaths, the end of the script, and what the children know."""

from __future__ import annotations

import os
import signal
import textwrap
from typing import TYPE_CHECKING

import pytest

from fsdf import BoosterParams, BrokerEnum, ConcurrentModeEnum
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.script import Script

HEAD = r"""
import asyncio, logging, os, re, sys, threading, time
from fsdf import boost, fct, patch_frame_config
from fsdf_core.settings import get_settings

def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()

def boost_(queue, **params):
    given = {"broker_kind": "SQLITE_QUEUE", "concurrent_mode": "process", "concurrent_num": 2, **params}
    return boost(queue, **given)
"""

# `Script.finish` waits as long as there are children.
pytestmark = pytest.mark.timeout(150)
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def script(start_script: Callable[[str], Script]) -> Callable[[str], Script]:
    """Starts scripts that begin with what all need."""
    return lambda source: start_script(HEAD + textwrap.dedent(source))


BUSY = r"""
@boost_("busy")
def busy(seconds):
    say("begin", os.getpid())
    if seconds < 0:
        re.match(r"(a+)+$", "a" * 60 + "b")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    say("end")

if __name__ == "__main__":
    for _ in range(2):
        busy.push(float(SECONDS))
busy.consume()
"""


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_drains(script, number):
    running = script(BUSY.replace("SECONDS", "3"))
    children = [int(running.until("begin")[0]) for _ in range(2)]
    os.killpg(running.process.pid, number)
    status, lines, errors = running.finish()
    assert (status, lines) == (0, ["end", "end"]), errors
    assert "Traceback" not in errors
    assert running.process.pid not in children


@posix
def test_children_in_c_end_at_once_with_a_killed_parent(script):
    running = script(BUSY.replace("SECONDS", "-1"))
    children = [int(running.until("begin")[0]) for _ in range(2)]
    running.process.kill()
    assert running.process.pid not in children
    assert running.finish()[1] == []


@posix
def test_what_a_killed_parent_leaves_is_run_by_the_next(script):
    running = script(BUSY.replace("SECONDS", "-1"))
    running.until("begin")
    running.process.kill()
    running.finish()
    again = script(BUSY.replace("float(SECONDS)", "0").replace("if seconds < 0", "if False"))
    for _ in range(4):
        again.until("end")
    again.process.terminate()
    assert again.finish()[0] == 0


def test_a_script_that_has_come_to_its_end_still_starts_children(script):
    running = script("""
        @boost_("late", max_retry_times=0)
        def late(x):
            say("ran", x, os.getpid())
            if x < 3:
                late.push(x + 1)
            os._exit(1)

        if __name__ == "__main__":
            late.push(0)
        late.consume()
    """)
    pids = [running.until("ran", str(x))[0] for x in range(4)]
    assert len(set(pids)) == 4
    running.process.terminate()
    running.finish()


def test_children_know_the_task_its_settings_and_its_object(script):
    running = script("""
        class Scale:
            def __init__(self, factor):
                self.obj_init_params = {"factor": factor}
                self.factor = factor

            @boost_("scale", function_timeout=30)
            async def times(self, x):
                await asyncio.sleep(0)
                fct.logger.info("scaling")
                say("scaled", self.factor * x, fct.queue_name, fct.attempt, len(fct.task_id))

        def loud(function):
            def call(*args, **kwargs):
                say("before", get_settings().grace, os.environ.get("PARENT") == str(os.getppid()))
                return function(*args, **kwargs)
            return call

        @boost_("wrapped", consuming_function_decorator=loud, micro_batch_size=2, micro_batch_timeout=30)
        def wrapped(calls):
            say("called", sorted(call["x"] for call in calls))

        if __name__ == "__main__":
            logging.basicConfig(level="INFO", format="LOG %(name)s %(levelname)s %(processName)s %(message)s")
            os.environ["PARENT"] = str(os.getpid())
            patch_frame_config(grace=7)
            Scale.times.push(Scale(3), 5)
            wrapped.push_many([{"x": 1}, {"x": 2}])
            wrapped.consume()
        Scale.times.consume()
    """)
    said = sorted(running.process.stdout.readline().split(" ", 1) for _ in range(3))
    assert [words[0] for words in said] == ["before", "called", "scaled"]
    assert said[0][1].split() == ["7.0", "True"]
    assert said[1][1].strip() == "[1, 2]"
    assert said[2][1].split() == ["15", "scale", "1", "36"]
    running.process.terminate()
    status, _, errors = running.finish()
    assert status == 0
    (line,) = [line for line in errors.splitlines() if "scaling" in line]
    assert line.startswith("LOG fsdf.scale INFO fsdf-scale-1-child-1 [")


def test_children_of_worker_processes_end_with_the_supervisor(script):
    running = script("""
        @boost_("many", function_timeout=0.5, max_retry_times=0, concurrent_num=1)
        def many(x):
            say("ran", x, os.getppid(), os.getpid())
            if x == 3:
                re.match(r"(a+)+$", "a" * 60 + "b")
            time.sleep(0.1)

        if __name__ == "__main__":
            many.push_many([(x,) for x in range(20)])
            many.multi_process_consume(2)
    """)
    ran = [running.until("ran") for _ in range(20)]
    assert sorted(int(x) for x, *_ in ran) == list(range(20))
    assert str(running.process.pid) not in {parent for _, parent, _ in ran}
    assert not {parent for _, parent, _ in ran} & {child for *_, child in ran}
    running.process.kill()
    running.finish()


def test_a_child_refuses_to_publish_where_nobody_reads(script):
    running = script("""
        @boost_("inner", broker_kind="MEMORY_QUEUE")
        def inner(x):
            pass

        @boost_("outer", broker_kind="MEMORY_QUEUE", max_retry_times=0)
        def outer():
            try:
                inner.push(1)
            except Exception as error:
                say("refused", error)

        if __name__ == "__main__":
            outer.push()
            outer.consume()
    """)
    assert "choose another broker_kind" in " ".join(running.until("refused"))
    running.process.terminate()
    assert running.finish()[0] == 0


def test_functions_that_no_child_can_import_are_refused_at_consume(decorate):
    task = decorate(lambda x: x, concurrent_mode=ConcurrentModeEnum.PROCESS)
    with pytest.raises(ConfigurationError, match="at the top level of a module"):
        task.consume()


def test_one_process_for_each_cpu_by_default(queue_name):
    from fsdf.assembly import worker_count

    params = BoosterParams(queue_name=queue_name, broker_kind=BrokerEnum.MEMORY_QUEUE, concurrent_mode="PROCESS")
    assert worker_count(params) == os.cpu_count()
    assert worker_count(params.model_copy(update={"concurrent_num": 7})) == 7
