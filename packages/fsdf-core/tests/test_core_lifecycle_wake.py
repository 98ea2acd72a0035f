"""Signals that the kernel gives to another thread, or a moment before the main thread begins to wait."""

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

# The same state as after the unlucky moment: the signal is noted, and nothing has interrupted the main thread.
ELSEWHERE = """
def wait_and_be_ended(wait):
    one = consumer()
    one.start()
    other = threading.Thread(target=time.sleep, args=(60,), daemon=True)
    other.start()
    threading.Timer(0.3, signal.pthread_kill, [other.ident, signal.SIGTERM]).start()
    try:
        wait()
    finally:
        say("left")
"""


@pytest.mark.parametrize("wait", ["threading.Event().wait()", "time.sleep(60)", "os.read(os.pipe()[0], 1)"])
def test_no_wait_outlasts_a_signal_that_another_thread_was_given(run, wait):
    assert run(f"{ELSEWHERE}\nwait_and_be_ended(lambda: {wait})") == (0, ["left"])


OWN_FIRST = """
import signal, socket
from fsdf_core import lifecycle
here, there = socket.socketpair()
there.setblocking(False)
def mine(*_): pass
{own}
lifecycle.install_signal_handlers()
print(signal.getsignal(signal.SIGURG) is mine, signal.set_wakeup_fd(-1) == there.fileno())
here.close(), there.close()
"""


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        ("signal.set_wakeup_fd(there.fileno())", "False True"),
        ("signal.signal(signal.SIGURG, mine)", "True False"),
    ],
)
def test_what_the_program_has_set_itself_is_left_alone(own, kept):
    command = [sys.executable, "-W", "error", "-c", OWN_FIRST.format(own=own)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip() == kept


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_wakes_nobody_and_is_woken_itself(run):
    source = """
    child = os.fork()
    if not child:
        say(signal.set_wakeup_fd(-1), signal.getsignal(signal.SIGURG) is signal.SIG_DFL)
        lifecycle.install_signal_handlers()
        wait_and_be_ended(threading.Event().wait)
    say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run(ELSEWHERE + textwrap.dedent(source)) == (0, ["-1 True", "left", "0"])


def test_what_a_child_writes_before_it_forgets_ends_nothing(run):
    source = """
    from fsdf_core import signal_wake
    one = consumer()
    one.start()
    os.write(signal_wake._descriptors[1], bytes([signal.SIGTERM]))
    time.sleep(0.5)
    say(one.running, lifecycle.ending())
    one.stop()
    """
    assert run(source) == (0, ["True False"])
