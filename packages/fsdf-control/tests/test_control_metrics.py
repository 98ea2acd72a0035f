"""Prometheus scrapes what consumers and publishers did."""

import doctest
import threading
import urllib.request

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from fsdf_control import metrics
from fsdf_control.dead_letter import DeadLetterOnRequest
from fsdf_control.expire import Expire
from fsdf_control.metrics import PrometheusMetrics, metrics_of, serve_metrics
from fsdf_control.requeue import Requeue
from fsdf_control.retry import Retry
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.errors import ConfigurationError, ExceptionForPushToDlxqueue, ExceptionForRequeue
from fsdf_core.publisher import Publisher
from fsdf_core.testing.fitting import FittingConsumer
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor

LONG = 60


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def scrape(registry):
    """Return a function that reads the endpoint: {(name, label values…): value}."""
    server = serve_metrics(0, registry=registry)

    def read():
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=LONG) as answer:
            text = answer.read().decode()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    yield read
    server.close()


@pytest.mark.parametrize("kind", [ShrinkableThreadPoolExecutor, AsyncPool])
def test_everything_is_counted(registry, scrape, kind):
    gone_back = threading.Event()

    def task(x):
        if x == 1:
            raise ValueError
        if x == 2:
            raise ExceptionForPushToDlxqueue
        if x == 3 and not gone_back.is_set():
            gone_back.set()
            raise ExceptionForRequeue

    queue = MemoryBroker().queue("q", serialize=True)
    rule = PrometheusMetrics(registry)
    Publisher(queue, controls=[rule]).publish_many([*({"x": x} for x in range(9)), ({"x": 9}, {"publish_time": 1.0})])
    with kind(max_workers=4) as pool:
        rules = [rule, Expire(60), DeadLetterOnRequest(), Requeue(), Retry(2)]
        consumer = FittingConsumer(task, queue=queue, pool=pool, controls=rules)
        consumer.start()
        assert wait_until(lambda: scrape().get(("fsdf_tasks_total", "q", "success")) == 7, LONG)
        assert wait_until(lambda: ("fsdf_queue_messages", "q", "ready") in scrape(), LONG)
        assert consumer.stop(LONG)
    found = scrape()
    assert found["fsdf_published_total", "q"] == 10
    statuses = ("failure", "dead-letter", "dropped", "requeued")
    assert [found["fsdf_tasks_total", "q", status] for status in statuses] == [1, 1, 1, 1]
    assert found["fsdf_task_retries_total", "q"] == 2
    assert found["fsdf_task_duration_seconds_count", "q"] == 12
    assert found["fsdf_tasks_running", "q"] == 0


def test_running_calls_are_seen(registry, scrape):
    end = threading.Event()
    queue = MemoryBroker().queue("q", serialize=True)
    Publisher(queue).publish_many({"x": x} for x in range(2))
    with ShrinkableThreadPoolExecutor(max_workers=4) as pool:
        consumer = FittingConsumer(
            lambda x: end.wait(LONG), queue=queue, pool=pool, controls=[PrometheusMetrics(registry)]
        )
        consumer.start()
        assert wait_until(lambda: scrape().get(("fsdf_tasks_running", "q")) == 2, LONG)
        end.set()
        assert consumer.stop(LONG)


def test_a_registry_has_one_of_each(registry):
    assert metrics_of(registry) is metrics_of(registry)
    PrometheusMetrics(registry)
    PrometheusMetrics(registry)


def test_the_next_free_port_is_taken(registry):
    first = serve_metrics(0, registry=registry)
    second = serve_metrics(first.port, registry=registry)
    assert second.port > first.port
    first.close()
    second.close()


def test_an_address_of_another_machine(registry):
    with pytest.raises(ConfigurationError, match="FSDF_METRICS_PORT"):
        serve_metrics(0, "192.0.2.1", registry)


def test_the_example():
    assert doctest.testmod(metrics).failed == 0
