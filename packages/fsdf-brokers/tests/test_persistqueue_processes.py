"""PERSISTQUEUE shared by several processes: living, dead, forked, and foreign ones."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import persistqueue
import persistqueue.serializers.json as json_lines
import pytest
from tests.servers.messages import bodies, send

from fsdf_brokers.persistqueue import PersistQueueBroker
from fsdf_core.broker import QueueSize
from fsdf_core.errors import BrokerUnavailable

WORKER = Path(__file__).with_name("persistqueue_worker.py")


@pytest.fixture
def broker(tmp_path):
    broker = PersistQueueBroker(tmp_path / "home")
    yield broker
    broker.close()


@pytest.fixture
def queue(broker):
    return broker.queue("q")


@pytest.fixture
def worker(broker):
    started = []

    def start(consumer):
        process = subprocess.Popen(
            [sys.executable, str(WORKER), str(broker.folder), consumer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        process.stdin.close()
        process.stdout.close()


def tell(process, command):
    process.stdin.write(command + "\n")
    process.stdin.flush()


def ask(process, command):
    tell(process, command)
    return process.stdout.readline().strip()


def numbered(count):
    return [b"%d" % number for number in range(count)]


def test_push_of_another_process_wakes(queue, broker):
    subscription = queue.subscribe("c", 10)
    other = PersistQueueBroker(broker.folder)
    timer = threading.Timer(0.2, send, (other.queue("q"), b"x"))
    timer.start()
    started = time.monotonic()
    assert bodies(subscription.receive(1, 10)) == [b"x"]
    assert time.monotonic() - started < 1
    timer.join()
    subscription.close()
    other.close()


def test_a_second_process_leaves_alone_what_the_first_is_running(queue, worker):
    send(queue, *numbered(10))
    first = worker("first")
    assert ask(first, "take 4") == "4"
    subscription = queue.subscribe("second", 10)
    assert bodies(subscription.receive(10, 1)) == numbered(10)[4:]
    assert subscription.receive(10, 1.5) == []
    assert ask(first, "ack") == "acked"
    assert queue.size() == QueueSize(0, 0, 6)
    subscription.close()


@pytest.mark.crash
def test_a_killed_process_gives_its_items_back_at_once(queue, worker, broker):
    send(queue, *numbered(10))
    victim = worker("victim")
    assert ask(victim, "take 4") == "4"
    subscription = queue.subscribe("heir", 10)
    assert len(subscription.receive(10, 1)) == 6
    victim.kill()
    started = time.monotonic()
    back = subscription.receive(10, 10)
    assert time.monotonic() - started < 2
    assert bodies(back) == numbered(4)
    assert {delivery.delivery_count for delivery in back} == {2}
    assert [file.name for file in (broker.folder / "alive").iterdir()] == ["heir.lock"]
    subscription.close()


def test_several_processes_share_without_duplicates(queue, worker):
    send(queue, *numbered(600))
    workers = [worker(f"w{number}") for number in range(3)]
    for process in workers:
        tell(process, "drain")
    seen = []
    for process in workers:
        while line := process.stdout.readline().strip():
            seen += line.encode().split()
    assert sorted(seen) == sorted(numbered(600))


def test_many_openers_at_once(broker):
    errors = []

    def open_and_send():
        other = PersistQueueBroker(broker.folder)
        try:
            send(other.queue("fresh"), b"x")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test fails
            errors.append(error)
        finally:
            other.close()

    threads = [threading.Thread(target=open_and_send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert broker.queue("fresh").size().ready == 8


def test_items_of_the_librarys_own_programs(queue, broker):
    send(queue, b"ours")
    foreign = persistqueue.SQLiteAckQueue(
        str(broker.folder), db_file_name="q.db", auto_resume=False, serializer=json_lines
    )
    foreign.put({"x": 1})
    subscription = queue.subscribe("c", 10)
    assert bodies(subscription.receive(10, 1)) == [b"ours", b'{"x": 1}']
    foreign.close()
    subscription.close()


def test_locked_file_is_waited_for_then_one_clear_error(queue, broker, monkeypatch):
    monkeypatch.setattr("fsdf_brokers.persistqueue.store._LOCK_TIMEOUT", 0.3)
    send(queue, b"x")
    other = sqlite3.connect(broker.folder / "q.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BrokerUnavailable, match="locked by another process"):
        send(queue, b"y")
    other.execute("ROLLBACK")
    other.close()
    send(queue, b"y")
    assert queue.size().ready == 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_sends_by_its_own_connection(queue):
    subscription = queue.subscribe("parent", 1)
    child = os.fork()
    if not child:
        try:
            send(queue, b"from the child")
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert bodies(subscription.receive(1, 5)) == [b"from the child"]
    subscription.close()
