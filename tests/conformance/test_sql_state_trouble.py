"""What the SQL state store does when its database fails, and what it says."""

import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from fsdf_brokers.states.sql import SQLStateStore
from fsdf_core.errors import ConfigurationError, MissingDependency, StateError, StateUnavailable

SECRET = "s3cret"


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path / 'state.sqlite'}"


@pytest.fixture(params=["sqlite_url", "postgres_url", "mariadb_url"])
def url(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def opened():
    stores = []

    def open_store(url):
        stores.append(SQLStateStore(url))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def rows(store, table="value"):
    def count(cursor):
        cursor.execute(f"SELECT count(*) FROM fsdf_state_{table}")
        return cursor.fetchone()[0]

    return store._database.run(count, write=False)


def test_a_restarted_server_is_survived(launch_postgres, opened):
    server = launch_postgres()
    store = opened(server.database())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.set({str(number): b"x"}), range(40)))
    assert store.wait("channel", 0.1) is False
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(store.wait("channel", 60)))
    waiting.start()
    server.stop()
    with pytest.raises(StateUnavailable, match="FSDF_STATE_URL"):
        store.get(["0"])
    server.start()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: store.get(["0"]), range(40))) == [[b"x"]] * 40
    assert store.add({"0": b"y", "new": b"y"}) == {"new"}
    waiting.join(10)
    assert answers == [True]
    assert store._listener.ready.wait(10)
    threading.Timer(0.2, store.notify, ("channel",)).start()
    started = time.monotonic()
    assert store.wait("channel", 30) is True
    assert time.monotonic() - started < 10


def test_a_killed_server_is_survived(launch_postgres, opened):
    server = launch_postgres()
    store = opened(server.database())
    assert store.acquire("lease", "a", 600) is not None
    server.kill()
    server.start()
    assert store.acquire("lease", "b", 600) is None


KILL = {
    "postgres_url": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()",
    "mariadb_url": "KILL {}",
}


@pytest.mark.parametrize("kind", KILL)
def test_a_lost_connection(kind, request, opened):
    url = request.getfixturevalue(kind)
    store, killer = opened(url), opened(url)
    killer.get(["connect"])

    def ids(cursor):
        cursor.execute("SELECT connection_id()")
        return cursor.fetchone()[0]

    def kill():
        number = store._database.run(ids, write=False) if kind == "mariadb_url" else ""
        killer._database.run(lambda cursor: cursor.execute(KILL[kind].format(number)), write=False)

    assert store.increment("n") == 1
    kill()
    assert store.get(["n"]) == [b"1"]
    kill()
    with pytest.raises(StateUnavailable):
        store.increment("n")
    assert store.increment("n") == 2


def test_many_create_the_tables_at_once(url, opened):
    stores = [opened(url) for _ in range(8)]
    barrier = threading.Barrier(8)

    def add(store):
        barrier.wait(30)
        return store.add({"key": b"value"})

    with ThreadPoolExecutor(8) as pool:
        assert sorted(map(len, pool.map(add, stores))) == [0] * 7 + [1]


def test_writers_sweep_what_is_expired(url, opened):
    store = opened(url)
    store.set({f"old-{number}": b"" for number in range(1500)}, ttl=0.05)
    store.set({"kept": b"", "for ever": b""}, ttl=600)
    threading.Event().wait(0.2)
    store.set({f"new-{number}": b"" for number in range(1000)})
    assert rows(store) == 1002


def test_old_leases_and_channels_are_swept_and_tokens_still_grow(url, opened):
    store = opened(url)
    first = store.acquire("lease", "a", -100_000.0)  # expired more than a day ago
    store.notify("channel")
    store.set({str(number): b"" for number in range(1000)})
    assert rows(store, "lease") == 0
    assert store.acquire("lease", "b", 1) > first


@pytest.mark.parametrize("database", ["postgresql", "mysql"])
def test_a_wait_without_a_server_lasts_its_time_and_is_unsure(database, opened):
    store = opened(f"{database}://user:{SECRET}@127.0.0.1:1/name")
    started = time.monotonic()
    assert store.wait("channel", 0.3) is True
    assert 0.25 < time.monotonic() - started < 5


def test_tables_that_vanish_are_made_again(url, opened):
    store = opened(url)
    store.set({"a": b"1"})
    store._database.run(lambda cursor: cursor.execute("DROP TABLE fsdf_state_value"))
    assert store.get(["a"]) == [None]
    assert store.add({"a": b"2"}) == {"a"}


def test_without_sqlalchemy_it_names_the_cure():
    code = "import sys; sys.modules['sqlalchemy'] = None; from fsdf_core.registry import states; states.get('sqlite')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "MissingDependency: " in done.stderr
    assert "'sqlalchemy': pip install fsdf[sqlalchemy]" in done.stderr


@pytest.mark.parametrize("database", ["postgresql", "mysql", "mariadb"])
def test_no_server(database, opened, caplog):
    caplog.set_level(logging.DEBUG)
    store = opened(f"{database}://user:{SECRET}@127.0.0.1:1/name")
    with pytest.raises(StateUnavailable, match=r"user:\*\*\*@127\.0\.0\.1:1/name.*FSDF_STATE_URL") as caught:
        store.get(["a"])
    assert SECRET not in repr(caught.value) + repr(caught.value.__cause__) + caplog.text


def test_wrong_password(mariadb_url, opened):
    store = opened(mariadb_url.replace("root@", f"stranger:{SECRET}@"))
    with pytest.raises(ConfigurationError, match="Check user, password") as caught:
        store.get(["a"])
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["postgres_url", "mariadb_url"])
def test_no_such_database(url, request, opened):
    store = opened(request.getfixturevalue(url) + "x")
    with pytest.raises(ConfigurationError, match="Check user, password and database"):
        store.get(["a"])


@pytest.mark.parametrize(
    ("database", "library", "extra"),
    [("postgresql", "psycopg", "postgresql"), ("mysql", "pymysql", "mysql"), ("mariadb", "pymysql", "mysql")],
)
def test_missing_driver(database, library, extra, monkeypatch, opened):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependency, match=rf"'{library}': pip install fsdf\[{extra}\]"):
        opened(f"{database}://user:{SECRET}@127.0.0.1:1/name").get(["a"])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"no url {SECRET}", "cannot be read"),
        (f"postgresql://user:{SECRET}@host:port/name", "cannot be read"),
        (f"oracle://user:{SECRET}@host/name", "no database of fsdf"),
        (f"mysql+mysqldb://user:{SECRET}@host/name", r"write mysql:// or mysql\+pymysql://"),
        ("sqlite://", "memory://"),
        ("sqlite:///:memory:", "memory://"),
    ],
)
def test_wrong_url(url, says, opened):
    with pytest.raises(ConfigurationError, match=says) as caught:
        opened(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("database", ["postgresql", "mysql"])
def test_unknown_option(database, opened):
    with pytest.raises((ConfigurationError, StateError), match="colour") as caught:
        opened(f"{database}://user:{SECRET}@127.0.0.1:1/name?colour=red").get(["a"])
    assert SECRET not in str(caught.value)


def test_a_file_locked_for_too_long(tmp_path, opened):
    store = opened(f"sqlite:///{tmp_path / 'state.sqlite'}?timeout=0.1")
    store.set({"a": b"1"})
    other = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateUnavailable, match="locked"):
        store.add({"b": b"1"})
    assert store.get(["a"]) == [b"1"]
    other.execute("ROLLBACK")
    other.close()
    assert store.add({"b": b"1"}) == {"b"}


def test_no_database_file(tmp_path, opened):
    (tmp_path / "state.sqlite").write_text("no database " * 1000)
    with pytest.raises(StateError, match="not a database"):
        opened(f"sqlite:///{tmp_path / 'state.sqlite'}").get(["a"])


def test_folder_cannot_be_made(tmp_path, opened):
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="Set FSDF_HOME"):
        opened(f"sqlite:///{tmp_path / 'file' / 'state.sqlite'}").get(["a"])


def test_too_long_a_name(sqlite_url, opened):
    store = opened(sqlite_url)
    store.set({"é" * 256: b""})
    for use in (store.increment, store.notify, lambda name: store.get([name]), lambda name: store.add({name: b""})):
        with pytest.raises(ConfigurationError, match="512 bytes"):
            use("é" * 256 + "x")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_connects_anew(url, opened):
    store = opened(url)
    store.set({"a": b"1"})
    assert store.wait("channel", 0.1) is False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            store.increment("n")
            store.wait("channel", 0.2)
            store.notify("channel")
            store.close()
            status = 0
        finally:
            os._exit(status)
    assert store.wait("channel", 30) is True
    assert os.waitpid(child, 0)[1] == 0
    assert store.increment("n") == 2
    threading.Timer(0.1, store.notify, ("channel",)).start()
    assert store.wait("channel", 30) is True
