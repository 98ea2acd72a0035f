"""Remote kill from another process, through a state store."""

import itertools
import subprocess
import sys
import threading
import time

import pytest

from fsdf_control.kill import RemoteKill, kill
from fsdf_control.retry import Retry
from fsdf_core.control import Control
from fsdf_core.errors import TaskKilled
from fsdf_core.publisher import Publisher
from fsdf_core.registry import open_state
from fsdf_core.settings import Settings
from fsdf_core.testing.fitting import FittingConsumer as Consumer

from .conftest import BROKERS
from .pools import GREEN, THREADS, spin

pytestmark = pytest.mark.usefixtures("no_destructors")

PATIENCE = 30.0
KILL = """
import sys
from pathlib import Path
from fsdf_control.kill import kill
from fsdf_core.registry import open_state
from fsdf_core.settings import Settings

kill(open_state(Settings(home=Path(sys.argv[1]))), *sys.argv[2:])
"""


class Endings(Control):
    """How tasks ended, and when."""

    def __init__(self):
        self.ended = {}
        self.changed = threading.Condition()

    def on_settle(self, messages):
        with self.changed:
            self.ended |= {message.task_id: (message, time.monotonic()) for message in messages}
            self.changed.notify_all()

    def expect(self, *task_ids):
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended.keys() >= set(task_ids), PATIENCE), self.ended
        return [self.ended[task_id] for task_id in task_ids]


@pytest.fixture
def store(request, tmp_path, monkeypatch):
    server = getattr(request, "param", None)
    if server:
        monkeypatch.setenv("FSDF_STATE_URL", request.getfixturevalue(server))
    store = open_state(Settings(home=tmp_path))
    yield store
    store.close()


def kill_elsewhere(home, task_id):
    """Kill from another process; return when that had happened."""
    subprocess.run([sys.executable, "-c", KILL, str(home), "q", task_id], check=True, timeout=60)
    return time.monotonic()


@pytest.mark.parametrize(
    ("embedded", "workers", "store"),
    [
        *itertools.product(BROKERS, THREADS, [None]),
        ("sqlite", THREADS[0], "redis_url"),
    ],
    indirect=True,
)
def test_running_and_waiting_tasks_end_within_two_seconds_of_a_kill_elsewhere(
    embedded, workers, store, tmp_path, emptied
):
    queue, started, runs, endings = embedded.queue("q"), threading.Event(), [], Endings()

    def task(name):
        runs.append(name)
        if name == "endless":
            started.set()
            spin()

    publisher = Publisher(queue)
    publisher.publish({"name": "endless"}, {"task_id": "endless"})
    rules = [RemoteKill(store), Retry(3), endings]
    with Consumer(task, queue=queue, pool=workers, controls=rules) as consumer:
        consumer.start()
        assert started.wait(PATIENCE)
        kill_elsewhere(tmp_path, "to come")
        killed = kill_elsewhere(tmp_path, "endless")
        publisher.publish({"name": "to come"}, {"task_id": "to come"})
        publisher.publish({"name": "free"}, {"task_id": "free"})
        (message, ended), (dropped, _), (free, _) = endings.expect("endless", "to come", "free")
        assert emptied(queue)
    assert ended - killed < (PATIENCE if GREEN else 2)  # those run beside other tests, on a busy machine
    assert isinstance(message.outcome.error, TaskKilled)
    assert dropped.settlement.reason == "killed"
    assert free.outcome.success
    assert runs == ["endless", "free"]


def test_another_queue_of_the_same_store_goes_on(embedded, workers, store, emptied):
    ended = []
    queues = [embedded.queue(name) for name in ("q", "other")]
    kill(store, "q", "a")
    for queue in queues:
        Publisher(queue).publish({"name": queue.name}, {"task_id": "a"})
        with Consumer(
            lambda name: ended.append(name), queue=queue, pool=workers, controls=[RemoteKill(store)]
        ) as consumer:
            consumer.start()
            assert emptied(queue)
    assert ended == ["other"]
