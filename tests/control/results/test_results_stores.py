"""Answers in every state store, and over the death of workers."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from fsdf_brokers.sqlite import SQLiteBroker
from fsdf_control import Results
from fsdf_core.answer_reader import AnswerReader
from fsdf_core.answer_waiting import wait_for
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.publisher import Publisher
from fsdf_core.testing.state_sharing import open_url
from fsdf_core.waiting import wait_until
from fsdf_pools import ShrinkableThreadPoolExecutor

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60
SERVERS = {
    "postgresql": "postgres_url",
    "mariadb": "mariadb_url",
    "redis": "redis_url",
    "mongodb": "mongodb_url",
}


@pytest.fixture(params=["sqlite", *SERVERS])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'state.sqlite').as_posix()}"
    return request.getfixturevalue(SERVERS[request.param])


@pytest.fixture
def opened():
    stores = []

    def open_store(url):
        stores.append(open_url(url))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@contextmanager
def consuming(function, *controls):
    queue = MemoryBroker().queue("q")
    with ShrinkableThreadPoolExecutor(max_workers=8) as pool:
        consumer = Consumer(function, queue=queue, pool=pool, controls=controls)
        with consumer:
            consumer.start()
            yield Publisher(queue)


def test_whoever_waits_elsewhere_is_told(url, opened):
    go = threading.Event()

    def task(x):
        assert go.wait(PATIENCE)
        if x == 3:
            raise ValueError("three")
        return {"x": x}

    reader = AnswerReader(opened(url))
    with consuming(task, Results(opened(url))) as publisher, ThreadPoolExecutor(4) as pool:
        ids = [publisher.publish({"x": x}).task_id for x in range(50)]
        waits = [pool.submit(wait_for, {reader: ids[place::4]}, PATIENCE) for place in range(4)]
        assert wait_until(lambda: len(reader._expected) == len(ids), PATIENCE)
        go.set()
        found = {}
        for wait in waits:
            found |= wait.result(PATIENCE)
        assert [found[each].result for each in ids] == [None if x == 3 else {"x": x} for x in range(50)]
        assert found[ids[3]].exception_msg == "three"
        late = publisher.publish({"x": 99}).task_id
        assert wait_for({reader: [late]}, PATIENCE)[late].result == {"x": 99}
        assert wait_for({AnswerReader(opened(url)): ids}, PATIENCE) == found


@pytest.mark.parametrize(("launch", "options"), [("launch_redis", {"aof": True}), ("launch_postgres", {})])
def test_a_server_that_is_away_costs_no_answer(request, opened, launch, options):
    server = request.getfixturevalue(launch)(**options)
    url = server.url if launch == "launch_redis" else server.database()
    go, runs = threading.Event(), []

    def task(x):
        assert go.wait(PATIENCE)
        runs.append(x)
        return x

    reader = AnswerReader(opened(url))
    with consuming(task, Results(opened(url))) as publisher, ThreadPoolExecutor(1) as pool:
        ids = [publisher.publish({"x": x}).task_id for x in range(5)]
        waiting = pool.submit(wait_for, {reader: ids}, PATIENCE)
        assert wait_until(lambda: len(reader._expected) == 5, PATIENCE)
        server.kill()
        go.set()
        assert wait_until(lambda: len(runs) == 5, PATIENCE)
        assert not waiting.done()
        server.start()
        assert sorted(each.result for each in waiting.result(PATIENCE).values()) == list(range(5))
    assert sorted(runs) == list(range(5))


@pytest.mark.parametrize("server", ["mariadb_url", "mongodb_url"])
def test_a_result_that_is_too_large_for_the_store_answers_with_that(server, request, opened):
    url = request.getfixturevalue(server)
    with consuming(lambda x: "x" * x, Results(opened(url))) as publisher:
        ids = [publisher.publish({"x": x}).task_id for x in (50_000_000, 1)]
        found = wait_for({AnswerReader(opened(url)): ids}, PATIENCE)
    assert found[ids[1]].result == "x"
    assert found[ids[0]].reason == "its result cannot be stored"


@pytest.fixture
def worker(tmp_path):
    """Starts a worker process; the test ends it."""
    processes = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.control.results.worker", str(tmp_path / "queue.sqlite"), *arguments],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait(PATIENCE)
        process.stdin.close()
        process.stdout.close()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_is_killed_between_the_run_and_the_acknowledgement(tmp_path, opened, worker, moment):
    url = f"sqlite:///{(tmp_path / 'state.sqlite').as_posix()}"
    queue = SQLiteBroker(tmp_path / "queue.sqlite").queue("q")
    task_id = Publisher(queue).publish({"x": 1}).task_id
    first = worker(url, moment, "first")
    first.wait(PATIENCE)
    reader = AnswerReader(opened(url))
    told = {each.result[1] for each in reader.read([task_id]).values()}
    assert told == (set() if moment == "before" else {"first"})
    second = worker(url, "never", "second")
    assert wait_until(lambda: queue.size().total == 0, PATIENCE)
    assert wait_for({reader: [task_id]}, PATIENCE)[task_id].result == [1, "second"]
    second.stdin.close()
    assert second.wait(PATIENCE) == 0
