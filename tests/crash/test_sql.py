"""POSTGRES and SQLALCHEMY: workers die, stall and lose their connections, and servers restart, while tasks run."""

import os
import random
import sys
import threading
import time

import pytest

from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet
from tests.crash.producer import Producer, check_all

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]

POSTGRES = pytest.param(("POSTGRES", "postgres_url"), id="postgres")
POSTGRESQL = pytest.param(("SQLALCHEMY", "postgres_url"), id="sqlalchemy-postgresql")
MARIADB = pytest.param(("SQLALCHEMY", "mariadb_url"), id="sqlalchemy-mariadb")
SQLITE = pytest.param(("SQLALCHEMY", None), id="sqlalchemy-sqlite")
SERVERS = [POSTGRES, POSTGRESQL, MARIADB]


@pytest.fixture
def fleet(request, tmp_path, monkeypatch):
    kind, source = request.param
    if source is not None:
        monkeypatch.setenv("FSDF_SQLALCHEMY_URL", request.getfixturevalue(source))
    fleet = Fleet(kind, tmp_path)
    yield fleet
    fleet.close()


def disturb(fleet, blow, tasks):
    """Strike six times, not oftener than every 0.5 s, and wait until all is done; return the tasks' numbers.

    With imports that take a second, nobody would live long enough to see that others are dead.
    """
    numbers = fleet.storm(blow, tasks, strikes=6, seconds=0.01)
    fleet.wait_done()
    return numbers


@pytest.mark.parametrize("fleet", [*SERVERS, SQLITE], indirect=True)
def test_sql_kill_loses_nothing(fleet):
    numbers = disturb(fleet, fleet.kill, 8_000)
    assert check(fleet.history, numbers, fleet.kills).accepted == len(numbers)


@pytest.mark.parametrize("fleet", SERVERS, indirect=True)
def test_sql_terminate_repeats_nothing(fleet):
    numbers = disturb(fleet, fleet.terminate, 8_000)
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, numbers, {}).duplicates == 0


@pytest.mark.parametrize("fleet", [*SERVERS, SQLITE], indirect=True)
def test_sql_a_task_of_a_killed_worker_runs_again_within_seconds(fleet):
    fleet.start_pair()
    assert fleet.hand_over() < 5


@pytest.mark.parametrize("fleet", [POSTGRES, MARIADB], indirect=True)
def test_sql_a_task_that_holds_the_interpreter_is_not_run_twice(fleet):
    fleet.run_hogs(2)
    check(fleet.history, range(2), {})


@pytest.mark.parametrize("fleet", SERVERS, indirect=True)
def test_sql_a_worker_stopped_for_two_leases_harms_nothing(short_lease, fleet):
    fleet.halt_one_of_two(1500, 6.0)
    fleet.wait_done()
    report = check(fleet.history, range(1500), fleet.kills)
    assert report.duplicates <= 100  # its ten tasks, and what it had fetched


@pytest.mark.parametrize("fleet", SERVERS, indirect=True)
def test_sql_cut_connections_lose_and_repeat_nothing(fleet):
    fleet.start()
    fleet.start()
    producer = Producer(fleet)
    fleet.wait_for(lambda: len(fleet.at_work()) == 2)
    url = os.environ["FSDF_SQLALCHEMY_URL"]
    for _ in range(5):
        assert cut(url) >= 2
        threading.Event().wait(0.3 + random.random() * 0.3)
    began = time.monotonic()
    count = len(fleet.events())
    fleet.wait_for(lambda: len(fleet.events()) > count, 5 - (time.monotonic() - began))
    producer.end()
    fleet.wait_done()
    check_all(fleet, producer)


def cut(url):
    """End all other sessions of the database; return how many."""
    if url.startswith("postgresql"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return len(rows.fetchall())
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import OperationalError

    engine = create_engine(url.replace("mariadb:", "mariadb+pymysql:"))
    count = 0
    with engine.connect() as connection:
        ids = connection.scalars(
            text("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        ).all()
        for number in ids:
            try:
                connection.execute(text(f"KILL {number}"))
                count += 1
            except OperationalError:  # it has ended by itself
                pass
    engine.dispose()
    return count


@pytest.mark.parametrize("kind", ["POSTGRES", "SQLALCHEMY"])
@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_sql_server_restart_loses_and_repeats_nothing(kind, ending, launch_postgres, tmp_path, monkeypatch):
    server = launch_postgres()
    monkeypatch.setenv("FSDF_SQLALCHEMY_URL", server.database())
    fleet = Fleet(kind, tmp_path)
    try:
        fleet.start()
        fleet.start()
        producer = Producer(fleet)
        fleet.wait_for(lambda: len(fleet.at_work()) == 2)
        getattr(server, ending)()
        threading.Event().wait(2.0)
        server.start()
        began = time.monotonic()
        count = len(fleet.events())
        fleet.wait_for(lambda: len(fleet.events()) > count, 5)
        assert time.monotonic() - began < 5
        producer.end()
        fleet.wait_done()
        check_all(fleet, producer)
    finally:
        fleet.close()
