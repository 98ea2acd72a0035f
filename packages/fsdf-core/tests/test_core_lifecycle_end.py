"""How a signal ends the main thread, or does not; and signals at any moment."""

import os
import random
import signal
import subprocess

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def test_nothing_comes_after_a_wait_that_a_signal_ended(run):
    source = """
    from fsdf_core.settings import get_settings
    get_settings()  # a signal that ends an import leaves a file for the garbage collector to complain of
    threading.Timer(0.2, term).start()
    try:
        consumer().run()
        lifecycle.await_drain()
        say("never")
    finally:
        say("left")
    """
    assert run(source) == (0, ["left"])


def test_the_users_handler_may_let_the_process_live_and_consume_again(run):
    source = """
    lines = []
    signal.signal(signal.SIGTERM, lambda *_: say("mine", one.running))
    lifecycle.install_signal_handlers()
    one = consumer()
    for _ in range(3):
        one.start()
        term()
        for _ in range(100):
            if not one.running: break
            time.sleep(0.02)
        lifecycle.await_drain()
    say("end")
    """
    assert run(source) == (0, ["mine False"] * 3 + ["end"])


def test_a_handler_is_called_though_the_main_function_has_ended(run):
    source = """
    signal.signal(signal.SIGTERM, lambda *_: say("mine", one.running))
    lifecycle.install_signal_handlers()
    one = consumer()
    one.start()
    threading.Timer(0.5, term).start()
    """
    assert run(source) == (0, ["mine False"])


def test_the_second_signal_ends_a_process_that_a_thread_of_the_user_keeps(run):
    source = """
    def signals():
        time.sleep(0.5)
        term()
        time.sleep(0.5)
        say("still here")
        term()
        time.sleep(60)
    threading.Thread(target=signals).start()
    """
    assert run(source) == (128 + signal.SIGTERM, ["still here"])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_its_own_end(run):
    source = """
    one = consumer()
    one.start()
    with lifecycle.signals_deferred():
        child = os.fork()
        if not child:
            term()
            time.sleep(60)
    say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), one.running)
    child = os.fork()
    if not child:
        lifecycle.install_signal_handlers()
        again = consumer()
        again.start()
        term()
        while True: pass
    say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), one.running)
    one.stop()
    """
    assert run(source) == (0, [f"{-signal.SIGTERM} True", "0 True"])


MOMENTS = """
signal.signal(signal.SIGALRM, lambda *_: term())
signal.setitimer(signal.ITIMER_REAL, {moment})
one = consumer()
while True:
    push()
    one.start()
    push()
    threading.Thread(target=push).start()
    one.stop()
"""


def test_at_any_moment(start):
    moments = [random.uniform(0.0001, 0.03) for _ in range(30)]
    for pair in zip(moments[::2], moments[1::2], strict=True):
        processes = [start(MOMENTS.format(moment=moment), stderr=subprocess.DEVNULL) for moment in pair]
        assert [process.wait(20) for process in processes] == [0, 0], pair
