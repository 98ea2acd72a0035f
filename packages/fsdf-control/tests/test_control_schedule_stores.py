"""Job stores: the same for all."""

import dataclasses
import sqlite3
import threading

import pytest

from fsdf_control.schedules import Job, MemoryJobStore, SQLJobStore
from fsdf_core.errors import ConfigurationError, StateUnavailable

JOB = Job("a", "q", "B", "interval", {"seconds": 1, "timezone": "UTC"}, {"x": [1, "ü"]}, next_run_time=10.25)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryJobStore() if request.param == "memory" else SQLJobStore(f"sqlite:///{tmp_path}/deep/jobs.sqlite")
    yield made
    made.close()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "jobs.sqlite"


@pytest.fixture
def reopened(file):
    """Return a function that opens the file as another process would."""
    stores = []

    def reopen(**arguments):
        stores.append(SQLJobStore(f"sqlite:///{file}", **arguments))
        return stores[-1]

    yield reopen
    for made in stores:
        made.close()


def test_a_job_comes_back_as_it_was(store):
    assert store.add(JOB)
    found = store.get("a")
    assert dataclasses.replace(found, version=0) == JOB
    assert store.get("A") is None


def test_an_id_is_given_once(store):
    assert store.add(JOB)
    assert not store.add(dataclasses.replace(JOB, queue_name="other"))
    assert store.get("a").queue_name == "q"


def test_of_many_who_add_one_succeeds(store):
    added, start = [], threading.Barrier(6)

    def add():
        start.wait(10)
        added.append(store.add(JOB))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(added) == [False] * 5 + [True]


def test_only_who_knows_the_version_changes(store):
    store.add(JOB)
    version = store.get("a").version
    assert store.change(dataclasses.replace(JOB, next_run_time=11.0), version)
    assert not store.change(dataclasses.replace(JOB, next_run_time=12.0), version)
    assert store.get("a").next_run_time == 11.0
    assert not store.remove("a", version)
    assert store.remove("a", store.get("a").version)
    assert not store.remove("a")
    assert not store.change(JOB, version)


def test_a_job_that_was_removed_and_added_is_another(store):
    store.add(JOB)
    version = store.get("a").version
    store.remove("a")
    store.add(JOB)
    assert not store.change(JOB, version)


def test_those_due_come_in_order_and_paused_ones_do_not(store):
    for name, moment in {"late": 30.0, "early": 5.0, "paused": None, "mid": 10.0}.items():
        store.add(dataclasses.replace(JOB, id=name, next_run_time=moment))
    assert [job.id for job in store.due(10.0)] == ["early", "mid"]
    assert [job.id for job in store.all()] == ["early", "mid", "late", "paused"]


def test_what_is_no_json_is_named(store):
    with pytest.raises(ConfigurationError, match=r"arguments\['x'\] is not JSON data"):
        store.add(dataclasses.replace(JOB, arguments={"x": object()}))
    with pytest.raises(ConfigurationError, match=r"broker_options\['f'\]"):
        store.add(dataclasses.replace(JOB, broker_options={"f": print}))


def test_stores_on_one_file_are_one_and_namespaces_part_them(reopened):
    reopened().add(JOB)
    assert reopened().get("a") is not None
    assert reopened().identity() == reopened().identity()
    other = reopened(namespace="other")
    assert other.get("a") is None
    assert other.add(JOB)
    assert other.identity() != reopened().identity()


def test_rows_are_json(reopened, file):
    reopened().add(JOB)
    connection = sqlite3.connect(file)
    (data,) = connection.execute("SELECT data FROM fsdf_schedule_job").fetchone()
    connection.close()
    assert '"queue_name":"q"' in data


def test_a_row_that_is_no_job_is_left_alone_and_said_once(reopened, file, caplog):
    store = reopened()
    store.add(JOB)
    connection = sqlite3.connect(file)
    pickled = "cos\nsystem\n(S'exit 1'\ntR."
    connection.execute("INSERT INTO fsdf_schedule_job VALUES('default', 'bad', 1.0, 1, ?)", (pickled,))
    connection.execute("INSERT INTO fsdf_schedule_job VALUES('default', 'new', 1.0, 1, '{\"id\":\"new\"}')")
    connection.commit()
    connection.close()
    for _ in range(3):
        assert [job.id for job in store.due(99.0)] == ["a"]
    assert [record.args[0] for record in caplog.records] == ["bad", "new"]


def test_names_of_newer_versions_are_left_out(reopened, file):
    store = reopened()
    store.add(JOB)
    connection = sqlite3.connect(file)
    connection.execute('UPDATE fsdf_schedule_job SET data = replace(data, \'{"anchor"\', \'{"newer":1,"anchor"\')')
    connection.commit()
    connection.close()
    assert store.get("a").arguments == JOB.arguments


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "nosuch://x", "no url", "postgresql://h:port/x"])
def test_a_wrong_url_is_refused_at_first_use(url):
    with pytest.raises(ConfigurationError, match="job store"):
        SQLJobStore(url).all()


def test_a_file_that_cannot_be_opened_is_no_secret(tmp_path):
    (tmp_path / "jobs.sqlite").mkdir()
    with pytest.raises(StateUnavailable, match="the job store failed: unable to open"):
        SQLJobStore(f"sqlite:///{tmp_path}/jobs.sqlite").add(JOB)


def test_too_long_an_id(reopened):
    with pytest.raises(ConfigurationError, match="191"):
        reopened().add(dataclasses.replace(JOB, id="x" * 192))
