"""A worker as a process: signals, the end of the main function, fork, pickle."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from fsdf import BrokerEnum, boost

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.script import Script

HEAD = r"""
import os, signal, sys, threading, time
from fsdf import boost, BoosterParams, BrokerEnum, ctrl_c_recv

def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()

@boost("script", broker_kind=BrokerEnum.MEMORY_QUEUE)
def task(x):
    say("begin", x)
    time.sleep(0.5)
    say("end", x)
"""

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def script(start_script: Callable[[str], Script]) -> Callable[[str], Script]:
    """Starts scripts that begin with what all need."""
    return lambda source: start_script(HEAD + textwrap.dedent(source))


ENDINGS = {
    "main function ended": "",
    "endless loop": "while True: time.sleep(1)",
    "busy loop": "while True: pass",
    "joined thread": "threading.Event().wait()",
    "ctrl_c_recv": "ctrl_c_recv()",
}


@posix
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_0(script, ending, signum):
    running = script(f"task.push(1)\ntask.consume()\n{ENDINGS[ending]}")
    running.until("begin", "1")
    running.process.send_signal(signum)
    status, lines, errors = running.finish()
    assert (status, errors) == (0, "")
    assert lines[-1] == "end 1"


@pytest.mark.skipif(
    (3, 12) <= sys.version_info < (3, 12, 3), reason="these start no thread after the main function (gh-113964)"
)
def test_a_script_whose_main_function_ended_consumes_on(script):
    running = script(
        """
        @boost("late", broker_kind=BrokerEnum.MEMORY_QUEUE)
        def last():
            say("last")
            threading.Thread(target=last.stop).start()
        last.consume()
        threading.Timer(0.5, last.push).start()
        say("main ends")
        """
    )
    running.until("main", "ends")
    assert running.finish() == (0, ["last"], "")


@posix
def test_a_second_signal_ends_at_once(script):
    running = script(
        """
        @boost("long", broker_kind=BrokerEnum.MEMORY_QUEUE)
        def long():
            say("long")
            time.sleep(60)
        long.push()
        long.consume()
        """
    )
    running.until("long")
    running.process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(0.3)
    running.process.send_signal(signal.SIGTERM)
    assert running.finish()[0] == 128 + signal.SIGTERM


@posix
def test_the_users_own_handler_is_called_after_the_drain(script):
    running = script(
        """
        def mine(signum, frame):
            say("mine", task.consumer.running)
            os._exit(7)
        signal.signal(signal.SIGTERM, mine)
        task.push(1)
        task.consume()
        while True: time.sleep(1)
        """
    )
    running.until("begin", "1")
    running.process.terminate()
    status, lines, _ = running.finish()
    assert (status, lines) == (7, ["end 1", "mine False"])


@posix
def test_consume_in_another_thread_takes_no_signal(script):
    running = script(
        """
        thread = threading.Thread(target=task.consume)
        thread.start()
        thread.join()
        say(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
        task.stop()
        """
    )
    assert running.finish() == (0, ["True"], "")


@posix
def test_consuming_in_the_main_thread_ends_by_a_signal(script):
    running = script(
        """
        @boost("inline", broker_kind=BrokerEnum.MEMORY_QUEUE, schedule_tasks_on_main_thread=True)
        def inline(): say("inline")
        inline.push()
        inline.consume()
        say("never")
        """
    )
    running.until("inline")
    running.process.terminate()
    assert running.finish() == (0, [], "")


@posix
def test_a_forked_child_starts_afresh(script):
    running = script(
        """
        @boost("forked", broker_kind=BrokerEnum.MEMORY_QUEUE)
        def forked(x):
            say(os.getpid() == parent, x)
        parent = os.getpid()
        forked.push(1)
        forked.consume()
        time.sleep(0.3)
        child = os.fork()
        if not child:
            say(forked.consumer.running)
            forked.clear()
            forked.consume()
            forked.push(2)
            say(forked.wait_for_possible_has_finish_all_tasks(0.001))
            say(forked.stop())
            os._exit(0)
        say(os.waitpid(child, 0)[1])
        forked.stop()
        """
    )
    status, lines, errors = running.finish()
    assert (status, errors.replace(_FORK_WARNING, "")) == (0, "")
    assert lines == ["True 1", "False", "False 2", "True", "True", "0"]


_FORK_WARNING = ""


@boost("pickled", broker_kind=BrokerEnum.MEMORY_QUEUE)
def pickled(x): ...


class Holder:
    @boost("pickled-method", broker_kind=BrokerEnum.MEMORY_QUEUE)
    def method(self): ...


def test_a_booster_is_pickled_by_reference(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this_module())
    assert pickle.loads(pickle.dumps(pickled)) is pickled
    assert pickle.loads(pickle.dumps(Holder.method)) is Holder.method
    assert copy.copy(pickled) is copy.deepcopy(pickled) is pickled
    assert b"params" not in pickle.dumps(pickled)


def _this_module():
    import types

    module = types.ModuleType(__name__)
    module.__dict__.update(globals())
    return module


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_a_booster_travels_to_other_processes(script, method):
    if method != "spawn" and os.name != "posix":
        pytest.skip("POSIX")
    running = script(
        f"""
        import multiprocessing
        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            with context.Pool(1) as pool:
                say(pool.apply(getattr, (task, "queue_name")))
                pool.apply(task, (1,))
        """
    )
    status, lines, errors = running.finish()
    assert (status, lines, errors) == (0, ["script", "begin 1", "end 1"], "")
