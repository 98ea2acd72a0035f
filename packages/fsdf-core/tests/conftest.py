"""What tests of consumers share, and scripts that send themselves signals."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from fsdf_core.brokers.memory import MemoryBroker
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

SECONDS = 20
HEAD = """
import os, signal, sys, threading, time
from fsdf_core import lifecycle
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.publisher import Publisher
from fsdf_pools import SoloExecutor

def say(*words):
    os.write(1, (" ".join(map(str, words)) + chr(10)).encode())

def term():
    os.kill(os.getpid(), signal.SIGTERM)

def consumer(task=lambda: None, name="q", **options):
    return Consumer(task, queue=broker.queue(name), pool=SoloExecutor(), **options)

def push(name="q"):
    Publisher(broker.queue(name)).publish({})

broker = MemoryBroker()
lifecycle.install_signal_handlers()
"""


@pytest.fixture
def start():
    """Starts a script; what is left of it is ended."""
    started = []

    def start(source, **options):
        command = [sys.executable, "-W", "error", "-c", HEAD + textwrap.dedent(source)]
        started.append(subprocess.Popen(command, text=True, start_new_session=True, **options))
        return started[-1]

    yield start
    for process in started:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its forked children, too
        process.kill()
        process.communicate()


@pytest.fixture
def run(start):
    """Runs a script, which must be quick and silent on standard error; returns its status and lines."""

    def run(source):
        process = start(source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines, errors = process.communicate(timeout=SECONDS)
        assert errors == ""
        return process.returncode, lines.splitlines()

    return run


@pytest.fixture
def queue():
    """A queue in memory that sends bytes, as real ones do."""
    return MemoryBroker().queue("q", serialize=True)


@pytest.fixture(params=[ShrinkableThreadPoolExecutor, SoloExecutor])
def pool(request):
    """Threads, and then none."""
    with request.param(max_workers=4) as pool:
        yield pool


@pytest.fixture
def one_thread():
    """A pool of one thread."""
    with ShrinkableThreadPoolExecutor(max_workers=1) as pool:
        yield pool
