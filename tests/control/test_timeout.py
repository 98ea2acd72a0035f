"""Timeouts on every embedded broker: dead letters, stuck tasks that run again, and the end of the process."""

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fsdf_control.retry import Retry
from fsdf_control.timeout import Timeout
from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.publisher import Publisher

from .pools import GREEN, THREADS, spin, stick

pytestmark = pytest.mark.usefixtures("no_destructors")

PATIENCE = 30.0


@pytest.mark.parametrize("workers", THREADS, indirect=True)
def test_what_always_takes_too_long_becomes_a_dead_letter(embedded, workers, emptied):
    attempts = []
    queue = embedded.queue("q")

    def endless():
        attempts.append(current_message.get().attempt)
        spin()

    Publisher(queue).publish({}, {"task_id": "a"})
    with Consumer(endless, queue=queue, pool=workers, controls=[Timeout(0.05), Retry(1, dead_letter=True)]) as consumer:
        consumer.start()
        assert emptied(queue)
    (dead,) = DeadLetters(queue).list()
    assert (dead.task_id, dead.attempts, dead.error) == ("a", 2, "TaskTimeout: ran for longer than 0.05 s")
    assert "in endless" in dead.traceback
    assert attempts == [1, 2]


def test_stuck_tasks_are_settled_once_and_lose_no_worker(embedded, emptied):
    """Each of 4 tasks is stuck in its first attempt, in a pool of 2; all succeed in their second.

    When the first attempts return from C, the interrupt is there: they do not go on. Greenlets have ignored it.
    """
    queue, release = embedded.queue("q"), threading.Event()
    runs, done = [], []

    def task(x):
        attempt = current_message.get().attempt
        runs.append((x, attempt))
        if attempt == 1:
            stick(release, PATIENCE)
        done.append((x, attempt))

    Publisher(queue).publish_many([{"x": x} for x in range(4)])
    rules = [Timeout(0.1, grace=0.1), Retry(1)]
    with (
        THREADS[0](max_workers=2) as pool,
        Consumer(task, queue=queue, pool=pool, controls=rules) as consumer,
    ):
        consumer.start()
        assert emptied(queue)
        assert sorted(done) == [(x, 2) for x in range(4)]
        assert pool.max_workers == 6
        release.set()
        pause = threading.Event()
        for _ in range(500):
            if pool.max_workers == 2:
                break
            pause.wait(0.01)
        assert pool.max_workers == 2
        assert consumer.stop()
    assert len(done) == (8 if GREEN else 4)
    assert sorted(runs) == sorted((x, attempt) for x in range(4) for attempt in (1, 2))
    assert queue.size().total == 0


def test_a_stop_while_a_task_gets_stuck_settles_it_within_the_grace(embedded, caplog):
    queue, entered, release = embedded.queue("q"), threading.Event(), threading.Event()

    def task():
        entered.set()
        stick(release, PATIENCE)

    Publisher(queue).publish({})
    with THREADS[0](max_workers=1) as pool, caplog.at_level(logging.ERROR, "fsdf"):
        consumer = Consumer(task, queue=queue, pool=pool, controls=[Timeout(0.3, grace=0.3)])
        consumer.start()
        assert entered.wait(PATIENCE)
        began = time.monotonic()
        assert not consumer.stop(10)  # settled, but the task still runs
        assert time.monotonic() - began < 5
        release.set()
    assert queue.size().total == 0
    assert "ran for longer than 0.3 s" in caplog.text


PATCHES = {
    None: "",
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import warnings; warnings.simplefilter('ignore'); import eventlet; eventlet.monkey_patch()",
}
STUCK_FOR_EVER = """
import sys, threading
from fsdf_brokers.sqlite import SQLiteBroker
from fsdf_control.timeout import Timeout
from fsdf_core.consumer import Consumer
from fsdf_core.lifecycle import install_signal_handlers
from fsdf_core.publisher import Publisher
from fsdf_core.green.broker import cooperative_broker
from tests.control.pools import THREADS, stick

install_signal_handlers()
queue = cooperative_broker(SQLiteBroker(sys.argv[1])).queue("q")
Publisher(queue).publish({})
consumer = Consumer(
    lambda: stick(threading.Event(), 1e6), queue=queue, pool=THREADS[0](1), controls=[Timeout(0.1, grace=0.1)]
)
consumer.start()
while queue.size().total:
    threading.Event().wait(0.02)
print("settled", flush=True)
if sys.argv[2] == "wait":
    threading.Event().wait(60)
"""


@pytest.mark.parametrize("end", ["wait", "leave"])
def test_a_process_ends_although_a_task_is_stuck_for_ever(tmp_path, end):
    """By SIGTERM, while its main function waits or after it has ended."""
    script = f"{PATCHES[GREEN]}\n{STUCK_FOR_EVER}"
    command = [sys.executable, "-c", script, str(tmp_path / "queue.sqlite"), end]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout.readline() == "settled\n"
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
