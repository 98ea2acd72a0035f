"""Circuit breakers that share a store open together."""

import logging
import threading

from fsdf_control.circuit_breaker import CircuitBreaker
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.control import UNLIMITED
from fsdf_core.errors import StateUnavailable
from fsdf_core.host import Host
from fsdf_core.message import Message
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_pools import SoloExecutor


class Bench:
    """A started breaker."""

    def __init__(self, clock, name, **options):
        self.clock = clock
        self.breaker = CircuitBreaker(clock=clock, **options)
        self.breaker.start(
            Host(
                queue=MemoryBroker().queue("q"),
                consumer_id=name,
                pool=SoloExecutor(),
                clock=clock,
                logger=logging.getLogger("fsdf.q"),
                stopping=threading.Event(),
                wake=lambda: None,
                abandon=lambda message, error: None,
            )
        )

    def run(self, error=None, message=None):
        def function(message):
            if error is not None:
                raise error

        try:
            self.breaker.around(function)(message or Message({}, {}))
        except OSError:
            assert error is not None

    def take(self, count):
        messages = [Message({}, {}) for _ in range(count)]
        self.breaker.admit_many(messages)
        return messages

    @property
    def credit(self):
        return self.breaker.credit(self.clock.monotonic())


def test_others_see_it_open_at_their_next_tick():
    clock = ManualClock()
    store = MemoryStateStore(clock)
    one, two = (Bench(clock, name, failure_threshold=1, store=store, half_open_max_calls=1) for name in ("a", "b"))
    one.run(OSError("down"))
    two.breaker.tick(clock.monotonic())
    assert two.credit == 0
    late = Bench(clock, "late", store=store)
    assert late.credit == 0
    clock.advance(60)
    for bench in (one, two):
        bench.breaker.tick(clock.monotonic())
        assert bench.credit == 1
    one.run(OSError("still"), message=one.take(1)[0])
    two.breaker.tick(clock.monotonic())
    assert two.credit == 0
    clock.advance(60)
    two.breaker.tick(clock.monotonic())
    assert two.credit == 1
    two.run(message=two.take(1)[0])
    assert two.credit == UNLIMITED
    two.breaker.tick(clock.monotonic())
    assert two.credit == UNLIMITED


def test_an_opening_is_shared_once_the_store_is_back(caplog):
    clock = ManualClock()
    store = MemoryStateStore(clock)
    bench = Bench(clock, "a", failure_threshold=1, store=store)
    write = store.set

    def away(values, ttl=None):
        raise StateUnavailable("store is away")

    store.set = away
    with caplog.at_level(logging.WARNING, "fsdf"):
        bench.run(OSError("down"))
    assert bench.credit == 0
    assert "store is away" in caplog.text
    store.set = write
    bench.breaker.tick(clock.monotonic())
    assert store.get(["fsdf:breaker:q"]) == [b"a"]
