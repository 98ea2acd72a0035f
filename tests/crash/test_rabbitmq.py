"""RABBITMQ: workers die, stall and lose their connections, and the server restarts, while tasks run."""

import random
import sys
import threading
import time
import uuid

import pytest
from pydantic import SecretStr

from fsdf_core.publisher import Publisher
from fsdf_core.registry import brokers
from fsdf_core.settings import Settings
from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet
from tests.crash.producer import Producer
from tests.crash.test_sql import disturb

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]

HELD = 200
"""Messages that a worker may hold: its ten tasks, and what it has fetched ahead of them."""


class RabbitMQFleet(Fleet):
    """Asks the server what is left: the protocol does not tell what other processes hold."""

    def __init__(self, server, folder, **env):
        super().__init__("RABBITMQ", folder)
        self.server = server
        self.virtual_host = uuid.uuid4().hex
        server.control("add_vhost", self.virtual_host)
        server.control("set_permissions", "-p", self.virtual_host, "guest", ".*", ".*", ".*")
        url = server.url.replace("%2F", self.virtual_host)
        self.env |= {"FSDF_RABBITMQ_URL": url, **env}
        self.broker = brokers.get(self.kind).from_settings(Settings(rabbitmq_url=SecretStr(url)))
        self.queue = self.broker.queue("crash")
        self.publisher = Publisher(self.queue)

    def wait_done(self, seconds=90):
        self.wait_for(lambda: self.queue.size().ready == 0, seconds)
        self.wait_for(lambda: self._messages() == {"0"}, seconds)

    def _messages(self):
        return set(
            self.server.control("list_queues", "-p", self.virtual_host, "--no-table-headers", "messages").split()
        )


@pytest.fixture
def fleet(rabbitmq_server, tmp_path):
    fleet = RabbitMQFleet(rabbitmq_server, tmp_path)
    yield fleet
    fleet.close()


def check_at_least_once(fleet, producer, most_repeated):
    """Everything accepted ran; only what was held when connections broke ran twice."""
    log = fleet.events().splitlines()
    ran = [int(line.split()[1]) for line in log if line.startswith("end")]
    assert set(producer.accepted) <= set(ran)
    assert set(ran) <= {*producer.accepted, *producer.doubtful}
    assert len(ran) - len(set(ran)) <= most_repeated


def test_rabbitmq_kill_loses_nothing(fleet):
    numbers = disturb(fleet, fleet.kill, 10_000)
    assert check(fleet.history, numbers, fleet.kills).accepted == len(numbers)


def test_rabbitmq_terminate_repeats_nothing(fleet):
    numbers = disturb(fleet, fleet.terminate, 12_000)
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, numbers, {}).duplicates == 0


def test_rabbitmq_a_task_of_a_killed_worker_runs_again_within_seconds(fleet):
    fleet.start_pair()
    assert fleet.hand_over() < 5


def test_rabbitmq_a_task_that_holds_the_interpreter_is_not_run_twice(fleet):
    fleet.run_hogs(2)
    check(fleet.history, range(2), {})


def test_rabbitmq_a_worker_stopped_for_longer_than_its_lease_harms_nothing(rabbitmq_server, tmp_path):
    fleet = RabbitMQFleet(rabbitmq_server, tmp_path, FSDF_LEASE_LIMIT="3")
    try:
        fleet.halt_one_of_two(1500, 4.0)
        fleet.wait_done()
        report = check(fleet.history, range(1500), fleet.kills)
        assert report.duplicates <= HELD
    finally:
        fleet.close()


def test_rabbitmq_cut_connections_lose_nothing(fleet):
    fleet.start()
    fleet.start()
    producer = Producer(fleet)
    fleet.wait_for(lambda: len(fleet.at_work()) == 2)
    for _ in range(4):
        fleet.server.control("close_all_connections", "-p", fleet.virtual_host, "a test cuts them")
        threading.Event().wait(0.3 + random.random() * 0.3)
    began = time.monotonic()
    count = len(fleet.events())
    fleet.wait_for(lambda: len(fleet.events()) > count, 5)
    assert time.monotonic() - began < 5
    producer.end()
    fleet.wait_done()
    check_at_least_once(fleet, producer, 4 * 2 * HELD)


def test_rabbitmq_server_killed_and_restarted_loses_nothing(launch_rabbitmq, tmp_path):
    server = launch_rabbitmq()
    fleet = RabbitMQFleet(server, tmp_path)
    try:
        fleet.start()
        fleet.start()
        producer = Producer(fleet)
        fleet.wait_for(lambda: len(fleet.at_work()) == 2 and len(producer.accepted) > 200)
        server.kill()
        threading.Event().wait(2.0)
        server.start()
        began = time.monotonic()
        count = len(fleet.events())
        fleet.wait_for(lambda: len(fleet.events()) > count, 12)
        assert time.monotonic() - began < 7  # the longest pause of the backoff, and the node's own start
        producer.end()
        fleet.wait_done()
        check_at_least_once(fleet, producer, 2 * HELD)
    finally:
        fleet.close()
