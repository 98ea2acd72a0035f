"""SQLALCHEMY: what users see when something is wrong."""

import threading

import pytest
from tests.servers.process import free_port

from fsdf_brokers.sqlalchemy_queue.broker import SQLAlchemyBroker
from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerError, BrokerUnavailable, ConfigurationError
from fsdf_core.settings import Settings


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("secret", "cannot be read"),
        ("oracle://u:secret@h/d", "does not know 'oracle'"),
        ("postgresql+asyncpg://u:secret@h/d", r"write postgresql:// or postgresql\+psycopg://"),
        ("sqlite://", "needs a file"),
    ],
)
def test_a_url_that_will_not_do_is_refused_without_showing_it(url, text):
    with pytest.raises(ConfigurationError, match=text) as caught:
        SQLAlchemyBroker(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "mariadb"])
def test_a_server_that_is_not_there(scheme):
    broker = SQLAlchemyBroker(f"{scheme}://me:secret@127.0.0.1:{free_port()}/db")
    with pytest.raises(BrokerUnavailable, match="is not available.*FSDF_SQLALCHEMY_URL") as caught:
        broker.queue("q").send([OutgoingMessage(b"1")])
    assert "secret" not in str(caught.value)


def test_a_password_that_is_refused(mariadb_url):
    broker = SQLAlchemyBroker(mariadb_url.replace("root@", "root:secret@"))
    with pytest.raises(ConfigurationError, match="refuses: .*Check user, password") as caught:
        broker.queue("q").subscribe("consumer", 10)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "queue.sqlite").write_bytes(b"no database, but long enough to look at" * 100)
    with pytest.raises(BrokerError, match="queue.sqlite"):
        SQLAlchemyBroker(f"sqlite:///{(tmp_path / 'queue.sqlite').as_posix()}").queue("q").size()


def test_options_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="no queue options, not table"):
        SQLAlchemyBroker(f"sqlite:///{tmp_path.as_posix()}/q").queue("q", table="t")


def test_without_a_url_it_is_a_file_at_home(tmp_path):
    broker = SQLAlchemyBroker.from_settings(Settings(home=tmp_path / "home", sqlalchemy_url=None))
    assert not (tmp_path / "home").exists()
    assert not broker.capabilities.cross_machine
    assert SQLAlchemyBroker.capabilities.cross_machine
    broker.queue("q").send([OutgoingMessage(b"1")])
    assert (tmp_path / "home" / "sqlalchemy_queue.sqlite").exists()
    broker.close()


@pytest.mark.parametrize("server", ["postgres_url", "mariadb_url", None])
def test_many_create_the_tables_and_the_queue_at_once(server, request, tmp_path):
    url = request.getfixturevalue(server) if server else f"sqlite:///{tmp_path.as_posix()}/queue.sqlite"
    brokers = [SQLAlchemyBroker(url) for _ in range(6)]
    barrier = threading.Barrier(len(brokers))
    errors = []

    def work(broker):
        barrier.wait(10)
        try:
            broker.queue("q").send([OutgoingMessage(b"1")])
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=work, args=(broker,)) for broker in brokers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert brokers[0].queue("q").size().ready == len(brokers)
    for broker in brokers:
        broker.close()
