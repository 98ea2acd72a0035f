"""Leases in databases, of SQLALCHEMY and POSTGRES: who keeps what when sessions end, and when owners are buried."""

import os
import signal
import subprocess
import sys
import threading

import psycopg
import pytest

from fsdf_brokers.postgres.broker import PostgresBroker
from fsdf_brokers.sqlalchemy_queue.broker import SQLAlchemyBroker
from fsdf_core.broker import OutgoingMessage, QueueSize


def sqlite_url(request):
    return f"sqlite:///{request.getfixturevalue('tmp_path').as_posix()}/queue.sqlite"


CASES = {
    "postgres": (PostgresBroker, lambda request: request.getfixturevalue("postgres_url")),
    "postgresql": (SQLAlchemyBroker, lambda request: request.getfixturevalue("postgres_url")),
    "mariadb": (SQLAlchemyBroker, lambda request: request.getfixturevalue("mariadb_url")),
    "sqlite": (SQLAlchemyBroker, sqlite_url),
}


@pytest.fixture(params=CASES)
def broker(request):
    adapter, url = CASES[request.param]
    broker = adapter(url(request), heartbeat_timeout=0.6)
    yield broker
    broker.close()


@pytest.fixture
def queue(broker):
    return broker.queue("q")


def send(queue, count):
    queue.send([OutgoingMessage(b"%d" % number) for number in range(count)])


def bury(subscription, rival):
    """Take the subscription's lease away, as after the lease limit, while it lives."""
    number = subscription._lease.held.number
    roll = rival._lease._roll
    for _ in range(20):
        (owner,) = [other for other in roll.others(rival._lease.held.number) if other.number == number]
        # None: its heartbeat came in between.
        if (count := roll.bury(owner, alive=True)) is not None:
            return count
    return None


def test_a_buried_owner_harms_nothing_and_goes_on(queue):
    owner, rival = queue.subscribe("owner", 10), queue.subscribe("rival", 10)
    rival._lease._ended.set()  # its thread and we must not use the session at once
    rival._lease._wake.set()
    rival._lease._thread.join(5)
    send(queue, 3)
    held = owner.receive(3, 3)
    assert bury(owner, rival) == 3
    again = rival.receive(3, 3)
    assert [delivery.delivery_count for delivery in again] == [2, 2, 2]
    owner.ack(held[:1])
    owner.requeue(held[1:2])
    owner.release(held[2:])
    assert queue.size() == QueueSize(0, 0, 3)
    rival.ack(again)
    assert queue.size() == QueueSize(0)
    send(queue, 1)
    anew = owner.receive(1, 5) or owner.receive(1, 5)
    owner.ack(anew)
    assert queue.size() == QueueSize(0)
    owner.close()
    rival.close()


def test_a_claim_whose_answer_was_lost_is_given_back_uncounted(queue):
    subscription = queue.subscribe("consumer", 10)
    send(queue, 5)
    known = subscription.receive(2, 3)
    held = subscription._lease.held
    lost = subscription.receive(3, 3)
    held.forget(lost)  # as if they had never arrived
    subscription.reconnect()
    again = subscription.receive(5, 3)
    assert [delivery.body for delivery in again] == [b"2", b"3", b"4"]
    assert {delivery.delivery_count for delivery in again} == {1}
    subscription.ack(known + again)
    assert queue.size() == QueueSize(0)
    subscription.close()


@pytest.mark.parametrize("adapter", [PostgresBroker, SQLAlchemyBroker])
def test_a_living_consumer_whose_session_is_cut_keeps_its_messages(adapter, postgres_url):
    broker = adapter(postgres_url)
    queue = broker.queue("q")
    send(queue, 2)
    owner = queue.subscribe("owner", 10)
    held = owner.receive(2, 3)
    rival = queue.subscribe("rival", 10)
    for _ in range(3):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                (owner._lease.held.number,),
            ).fetchall()
        assert len(ended) == 1
        threading.Event().wait(0.9)
    assert rival.receive(2, 1.5) == []
    owner.ack(held)
    assert queue.size() == QueueSize(0)
    owner.close()
    rival.close()
    broker.close()


FORKER = """
import os, sys, time, importlib
module, name, url = sys.argv[1:]
queue = getattr(importlib.import_module(module), name)(url).queue("q")
subscription = queue.subscribe("parent", 10)
assert len(subscription.receive(2, 3)) == 2
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
time.sleep(60)
"""


@pytest.mark.crash
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_does_not_keep_its_dead_parents_lease(broker, queue, request):
    send(queue, 2)
    adapter, url = CASES[request.node.callspec.params["broker"]]
    words = [sys.executable, "-c", FORKER, adapter.__module__, adapter.__name__, url(request)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        try:
            parent.kill()
            parent.wait(10)
            heir = queue.subscribe("heir", 10)
            back = heir.receive(2, 8)
            assert [delivery.delivery_count for delivery in back] == [2, 2]
            heir.close()
        finally:
            os.kill(child, signal.SIGKILL)
