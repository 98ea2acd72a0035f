"""Circuit breakers in consumers, on the embedded brokers; the state shared by SQLite."""

import threading
import time

import pytest

from fsdf_brokers.states.sql import SQLStateStore
from fsdf_control.circuit_breaker import CircuitBreaker
from fsdf_control.circuit_state import State
from fsdf_control.retry import Retry
from fsdf_control.run_report import RunReport
from fsdf_core.batch import Batch
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.publisher import Publisher
from fsdf_core.settings import Settings
from fsdf_core.testing.fitting import FittingConsumer as Consumer

from .pools import THREADS


class Service:
    """What the tasks call: down until told, then up."""

    def __init__(self):
        self.up = threading.Event()
        self.calls = []

    def __call__(self, x):
        self.calls.append(x)
        if not self.up.is_set():
            raise ConnectionError("service is down")


def test_it_opens_probes_and_closes(embedded, workers, emptied):
    queue = embedded.queue("q")
    service, opened, closed = Service(), threading.Semaphore(0), threading.Event()
    breaker = CircuitBreaker(
        failure_threshold=2,
        recovery_timeout=0.3,
        half_open_max_calls=2,
        on_open=lambda name: opened.release(),
        on_close=lambda name: closed.set(),
    )
    Publisher(queue).publish_many({"x": x} for x in range(3))
    with Consumer(service, queue=queue, pool=workers, controls=[breaker]) as consumer:
        consumer.start()
        assert opened.acquire(timeout=10)
        Publisher(queue).publish_many({"x": x} for x in range(3, 60))
        assert opened.acquire(timeout=10)  # a probe has failed
        assert len(service.calls) < 20
        service.up.set()
        assert closed.wait(10)
        assert emptied(queue)
    assert set(service.calls) == set(range(60))
    assert len(service.calls) == 60


def test_a_fallback_keeps_the_queue_moving(embedded, workers, emptied):
    queue = embedded.queue("q")
    service, instead = Service(), []
    breaker = CircuitBreaker(failure_threshold=1, fallback=lambda x: instead.append(x))
    Publisher(queue).publish_many({"x": x} for x in range(40))
    with Consumer(service, queue=queue, pool=workers, controls=[breaker]) as consumer:
        consumer.start()
        assert emptied(queue)
    assert sorted(service.calls + instead) == list(range(40))
    assert 1 <= len(service.calls) <= 4


def test_a_stop_while_probes_wait_loses_nothing(embedded, workers, emptied):
    queue = embedded.queue("q")
    service, opened = Service(), threading.Event()
    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=0.05, on_open=lambda name: opened.set())
    consumer = Consumer(service, queue=queue, pool=workers, controls=[breaker])
    Publisher(queue).publish_many({"x": x} for x in range(20))
    consumer.start()
    assert opened.wait(10)
    assert consumer.stop()
    service.up.set()
    consumer.start()
    assert emptied(queue)
    assert consumer.stop()
    assert sorted(service.calls) == list(range(20))


@pytest.mark.parametrize("kind", THREADS)
def test_another_consumer_opens_within_a_second(kind, tmp_path):
    url = f"sqlite:///{(tmp_path / 'state.sqlite').as_posix()}"
    stores = [SQLStateStore.from_url(url, Settings(home=tmp_path)) for _ in range(2)]
    opened, followed = threading.Event(), threading.Event()
    breakers = [
        CircuitBreaker(failure_threshold=1, store=store, on_open=lambda name, event=event: event.set())
        for store, event in zip(stores, (opened, followed), strict=True)
    ]
    # Queues of one name that share no messages, as seen by two hosts.
    queues = [MemoryBroker().queue("q") for _ in range(2)]
    with kind(max_workers=2) as one, kind(max_workers=2) as two:
        failing = Consumer(Service(), queue=queues[0], pool=one, controls=breakers[:1])
        idle = Consumer(Service(), queue=queues[1], pool=two, controls=breakers[1:])
        with failing, idle:
            failing.start()
            idle.start()
            Publisher(queues[0]).publish({"x": 1})
            assert opened.wait(10)
            began = time.monotonic()
            assert followed.wait(10)
            assert time.monotonic() - began < 1.5
            assert [breaker.state for breaker in breakers] == [State.OPEN, State.OPEN]
    for store in stores:
        store.close()


def test_one_of_a_batch_that_runs_again_gets_the_fallback_of_batches(embedded, workers, emptied):
    queue = embedded.queue("q")
    results = []

    def down(calls):
        raise ConnectionError("service is down")

    def instead(calls):
        return [call["x"] * 10 for call in calls]

    controls = [
        RunReport(lambda status: results.append(status.result)),
        Retry(max_retries=1),
        CircuitBreaker(failure_threshold=1, recovery_timeout=60, fallback=instead),
    ]
    Publisher(queue).publish_many({"x": x} for x in range(4))
    with Consumer(down, queue=queue, pool=workers, controls=controls, batch=Batch(4, 0.1)) as consumer:
        consumer.start()
        assert emptied(queue)
    # The first call, of a batch, fails and opens the circuit.
    assert sorted(results) == [0, 10, 20, 30]
