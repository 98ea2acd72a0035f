"""The circuit breaker: states, probes, fallback, sharing."""

import asyncio
import doctest
import logging
import threading

import pytest

from fsdf_control import circuit_breaker, failure_window
from fsdf_control.circuit_breaker import CircuitBreaker
from fsdf_control.circuit_state import State
from fsdf_core.batch import BatchMessage
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.control import UNLIMITED
from fsdf_core.errors import ConfigurationError, ExceptionForRetry
from fsdf_core.host import Abandoned, Host
from fsdf_core.message import Message
from fsdf_core.outcome import Outcome
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import Release
from fsdf_pools import SoloExecutor


class Bench:
    """A breaker, its clock and a function that fails when told."""

    def __init__(self, **options):
        self.clock = ManualClock()
        self.woken = 0
        self.error = None
        self.breaker = CircuitBreaker(clock=self.clock, **options)
        self.breaker.start(
            Host(
                queue=MemoryBroker().queue("q"),
                consumer_id="c1",
                pool=SoloExecutor(),
                clock=self.clock,
                logger=logging.getLogger("fsdf.q"),
                stopping=threading.Event(),
                wake=self.wake,
                abandon=lambda message, error: None,
            )
        )
        self.call = self.breaker.around(self.function)

    def wake(self):
        self.woken += 1

    def function(self, message):
        if self.error is not None:
            raise self.error
        return "real"

    def run(self, error=None, message=None):
        self.error = error
        try:
            return self.call(message or Message({}, {}))
        except BaseException as raised:  # noqa: BLE001 - the breaker passes on what it gets
            return raised

    @property
    def credit(self):
        return self.breaker.credit(self.clock.monotonic())

    @property
    def wait(self):
        return self.breaker.next_credit(self.clock.monotonic())

    def take(self, count):
        messages = [Message({}, {}) for _ in range(count)]
        assert list(self.breaker.admit_many(messages)) == [None] * count
        return messages


def opened(**options):
    bench = Bench(failure_threshold=1, recovery_timeout=60, **options)
    bench.run(OSError("down"))
    assert bench.breaker.state is State.OPEN
    return bench


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "guess"},
        {"failure_threshold": 0},
        {"min_calls": 0},
        {"half_open_max_calls": 0},
        {"errors_rate": 0},
        {"errors_rate": 1.1},
        {"period": 0},
        {"recovery_timeout": float("nan")},
    ],
)
def test_arguments_out_of_range(options):
    with pytest.raises(ConfigurationError):
        CircuitBreaker(**options)


def test_failures_in_a_row_open_it_and_a_success_ends_the_row(caplog):
    bench = Bench(failure_threshold=3)
    for error in (OSError(), OSError(), None, OSError(), OSError(), ExceptionForRetry(), KeyboardInterrupt()):
        bench.run(error)
        assert (bench.credit, bench.wait) == (UNLIMITED, 0)
    with caplog.at_level(logging.WARNING, "fsdf"):
        bench.run(OSError("down"))
    assert (bench.credit, bench.wait) == (0, 60)
    assert "circuit of q open for 60 s: OSError: down" in caplog.text


def test_a_share_of_failures_within_the_period_opens_it():
    bench = Bench(strategy="rate", errors_rate=0.5, period=60, min_calls=4)
    for error in (OSError(), OSError(), OSError()):
        bench.run(error)
    bench.clock.advance(61)
    for error in (None, None, OSError()):
        bench.run(error)
        assert bench.breaker.state is State.CLOSED
    bench.clock.advance(30)
    bench.run(OSError())
    assert bench.breaker.state is State.OPEN


def test_only_the_named_exceptions_count():
    bench = Bench(failure_threshold=1, exceptions=(OSError,), ignore=(TimeoutError,))
    bench.run(ValueError())
    bench.run(TimeoutError())
    assert bench.breaker.state is State.CLOSED
    bench.run(Abandoned())
    assert bench.breaker.state is State.OPEN


def test_probes_that_succeed_close_it(caplog):
    told = []
    bench = opened(half_open_max_calls=2, on_open=told.append, on_close=told.append)
    bench.clock.advance(59)
    assert (bench.credit, bench.wait) == (0, 1)
    bench.clock.advance(1)
    with caplog.at_level(logging.WARNING, "fsdf"):
        assert bench.credit == 2
        first, second = bench.take(2)
        assert (bench.credit, bench.wait) == (0, 1)
        bench.run(message=first)
        assert bench.credit == 0
        bench.run(message=second)
    assert bench.credit == UNLIMITED
    assert told == ["q", "q"]
    assert bench.woken == 2
    assert "half-open" in caplog.text
    assert "closed" in caplog.text


def test_one_probe_that_fails_opens_it_again():
    bench = opened(half_open_max_calls=3)
    bench.clock.advance(60)
    assert bench.credit == 3
    first, second, third = bench.take(3)
    bench.run(message=first)
    assert bench.woken == 1  # it has opened
    bench.run(OSError(), message=second)
    assert bench.woken == 2  # who waits for the probes is told of the new time
    bench.run(message=third)
    assert (bench.credit, bench.wait) == (0, 60)


def test_calls_that_began_before_it_opened_decide_nothing():
    bench = opened(half_open_max_calls=1)
    bench.clock.advance(60)
    assert bench.credit == 1
    bench.run(OSError())
    bench.run()
    assert bench.breaker.state is State.HALF_OPEN
    assert bench.credit == 1


def test_probes_that_never_report_are_given_back_or_judged():
    bench = opened(half_open_max_calls=2)
    bench.clock.advance(60)
    assert bench.credit == 2
    released, stuck = bench.take(2)
    released.settlement = Release()
    bench.breaker.on_settle([released])
    assert (bench.credit, bench.woken) == (1, 2)
    stuck.outcome = Outcome(False, None, TimeoutError("stuck"), 1, None)
    bench.breaker.on_settle([stuck])
    assert bench.credit == 0
    assert bench.wait == 60


def test_a_probe_that_raises_a_signal_is_no_proof():
    bench = opened(half_open_max_calls=1)
    bench.clock.advance(60)
    assert bench.credit == 1
    (probe,) = bench.take(1)
    bench.run(ExceptionForRetry(), message=probe)
    assert (bench.credit, bench.breaker.state) == (1, State.HALF_OPEN)


def test_a_fallback_runs_while_it_is_open():
    calls = []
    bench = opened(half_open_max_calls=1, fallback=lambda **arguments: calls.append(arguments) or "instead")
    assert (bench.credit, bench.wait) == (UNLIMITED, 0)
    assert bench.run(message=Message({"x": 1}, {})) == "instead"
    bench.clock.advance(60)
    assert bench.run() == "real"
    assert bench.breaker.state is State.CLOSED
    assert calls == [{"x": 1}]


def test_a_fallback_that_fails_is_the_tasks_failure():
    def fallback():
        raise ValueError("fallback")

    bench = opened(fallback=fallback)
    with pytest.raises(ValueError, match="fallback"):
        bench.call(Message({}, {}))


def test_a_batch_counts_once_and_its_fallback_gets_all_arguments():
    batch = BatchMessage([Message({"x": x}, {}) for x in range(5)])
    bench = Bench(failure_threshold=2, half_open_max_calls=1, fallback=lambda calls: calls)
    bench.run(OSError(), message=batch)
    assert bench.breaker.state is State.CLOSED
    bench.run(OSError(), message=batch)
    assert bench.run(message=batch) == [{"x": x} for x in range(5)]
    bench.clock.advance(60)
    assert bench.run(message=batch) == "real"
    assert bench.breaker.state is State.CLOSED


def test_async_functions():
    async def instead(x):
        return f"instead {x}"

    bench = opened(half_open_max_calls=1, fallback=instead)
    error = None

    async def function(message):
        if error:
            raise error
        return "real"

    call = bench.breaker.around_async(function)
    assert asyncio.run(call(Message({"x": 1}, {}))) == "instead 1"
    bench.clock.advance(60)
    assert asyncio.run(call(Message({"x": 1}, {}))) == "real"
    error = OSError("down")
    with pytest.raises(OSError, match="down"):
        asyncio.run(call(Message({"x": 1}, {})))
    assert bench.breaker.state is State.OPEN


def test_a_callback_that_fails_is_logged(caplog):
    with caplog.at_level(logging.ERROR, "fsdf"):
        opened(on_open=lambda name: 1 / 0)
    assert "ZeroDivisionError" in caplog.text


def test_a_stopped_consumer_holds_no_probes():
    bench = opened(half_open_max_calls=1)
    bench.clock.advance(60)
    assert bench.credit == 1
    bench.take(1)
    bench.breaker.stop()
    assert bench.credit == 1


@pytest.mark.parametrize("module", [circuit_breaker, failure_window], ids=lambda module: module.__name__)
def test_docstrings_tell_the_truth(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
