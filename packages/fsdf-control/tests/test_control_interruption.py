"""Interruption: never after the call, never twice, and never waited for in vain."""

import logging
import math
import sys
import threading
import time

import pytest

from fsdf_control import interruption
from fsdf_control.interruption import Interrupted, Interruption, Terms
from fsdf_control.watchdog import Watchdog
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.errors import TaskKilled, TaskTimeout
from fsdf_core.host import Abandoned, Host
from fsdf_core.message import Message
from fsdf_pools import SoloExecutor

pytestmark = pytest.mark.usefixtures("no_destructors")

PATIENCE = 30.0


class Abandoning(list):
    """What the consumer was told to settle."""

    def __init__(self):
        self.told = threading.Event()

    def __call__(self, message, error):
        self.append((message, error))
        self.told.set()


@pytest.fixture
def abandoned():
    return Abandoning()


@pytest.fixture
def host(abandoned):
    return Host(
        queue=MemoryBroker().queue("q"),
        consumer_id="c",
        pool=SoloExecutor(),
        clock=SYSTEM_CLOCK,
        logger=logging.getLogger("fsdf.q"),
        stopping=threading.Event(),
        wake=lambda: None,
        abandon=abandoned,
    )


def too_long(call):
    return TaskTimeout(f"{call.limit}")


@pytest.fixture
def watchdog(host):
    dog = Watchdog(Terms(host, 0.2, too_long))
    yield dog
    dog.stop()


def guarded(watchdog, call, seconds=0.01):
    running = Interruption(Message({}, {"task_id": "t"}), time.monotonic() + seconds, seconds, watchdog.terms)
    try:
        watchdog.watch(running)
        return running.run(call)
    finally:
        watchdog.forget(running)


def spin(message):
    while True:
        pass


def test_the_error_tells_where_the_call_was(watchdog):
    with pytest.raises(TaskTimeout) as caught:
        guarded(watchdog, spin)
    assert caught.traceback[-1].name == "spin"
    assert caught.value.__suppress_context__


def test_what_it_raises_on_its_way_out_is_the_cause(watchdog):
    def clumsy(message):
        try:
            spin(message)
        finally:
            raise KeyError("in a finally")

    with pytest.raises(TaskTimeout) as caught:
        guarded(watchdog, clumsy)
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_interrupted_call_has_failed_even_if_it_returns(watchdog):
    def indifferent(message):
        try:
            spin(message)
        except BaseException:  # noqa: BLE001
            return "done"

    with pytest.raises(TaskTimeout):
        guarded(watchdog, indifferent)


def test_a_kill_inside_goes_before_a_timeout_outside(watchdog):
    def killed(message):
        try:
            spin(message)
        except BaseException:  # noqa: BLE001
            raise TaskKilled("killed") from None

    with pytest.raises(TaskKilled):
        guarded(watchdog, killed)


def test_a_call_that_swallows_everything_is_abandoned_once(watchdog, abandoned):
    def immortal(message):
        while not abandoned.told.is_set():
            try:
                abandoned.told.wait(PATIENCE)
            except BaseException:  # noqa: BLE001
                continue

    with pytest.raises(Abandoned):
        guarded(watchdog, immortal)
    assert [type(error) for _, error in abandoned] == [TaskTimeout]


def test_waiting_in_c_is_reported_with_its_place(watchdog, abandoned, caplog):
    lock = threading.Lock()
    lock.acquire()

    def waiting_for_a_lock(message):
        return lock.acquire(timeout=PATIENCE)

    releaser = threading.Thread(target=lambda: (abandoned.told.wait(PATIENCE), lock.release()), name="fsdf-test")
    releaser.start()
    with caplog.at_level(logging.DEBUG, "fsdf"), pytest.raises(Abandoned):
        guarded(watchdog, waiting_for_a_lock)
    releaser.join()
    warning, stack = (record.getMessage() for record in caplog.records if "stuck" in record.getMessage())
    assert "task t is stuck in " in warning
    assert "waiting_for_a_lock" in warning
    assert __file__ in warning
    assert "lock.acquire(timeout=PATIENCE)" in stack


def test_where_nothing_can_be_injected_it_is_stuck_at_once(host, abandoned, monkeypatch):
    monkeypatch.setattr(interruption, "injector", lambda: None)
    dog = Watchdog(Terms(host, 3600, too_long))
    with pytest.raises(Abandoned):
        guarded(dog, lambda message: abandoned.told.wait(PATIENCE))
    dog.stop()
    assert len(abandoned) == 1


def test_a_broken_abandonment_does_not_end_the_watchdog(watchdog, monkeypatch, caplog):
    def broken(message, error):
        raise RuntimeError("no settler")

    dog = Watchdog(Terms(_with(watchdog.terms.host, abandon=broken), 0, too_long))
    with pytest.raises(Abandoned):
        guarded(dog, lambda message: threading.Event().wait(0.1))
    assert "cannot be ended" in caplog.text
    with pytest.raises(Abandoned):
        guarded(dog, lambda message: threading.Event().wait(0.1))
    dog.stop()


def _with(host, **changes):
    return Host(**{**vars(host), **changes})


def test_a_short_limit_is_kept_beside_a_long_one(watchdog):
    long = Interruption(Message({}, {"task_id": "long"}), time.monotonic() + 3600, 3600, watchdog.terms)
    watchdog.watch(long)
    with pytest.raises(TaskTimeout, match="0.02"):
        guarded(watchdog, spin, 0.02)
    assert watchdog.running() == [long]


def test_a_stopped_watchdog_starts_no_thread(host):
    dog = Watchdog(Terms(host, 0.1, too_long))
    dog.stop()
    assert guarded(dog, lambda message: threading.Event().wait(0.05), 0.001) is False
    assert not [thread for thread in threading.enumerate() if thread.name == "fsdf-watchdog-q"]


@pytest.fixture
def restless():
    """Threads change places at every chance."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def ends_after_a_yield(turns):
    time.sleep(0)
    return "ok"


def ends_after_a_loop(turns):
    for _ in range(turns):
        pass
    return "ok"


def fails_after_a_yield(turns):
    time.sleep(0)
    raise ValueError


def swallows(turns):
    for _ in range(3):
        try:
            for _ in range(turns):
                pass
        except BaseException:  # noqa: BLE001
            pass
    return "ok"


CALLS = (ends_after_a_yield, ends_after_a_loop, fails_after_a_yield, swallows)


def attempt(turn, inner, outer, targets):
    """Run a call under one or two limits, which are targets meanwhile; return how it ended."""
    guard = Interruption(turn % 37 * 20, math.inf, 0, inner)
    run, nested = guard.run, (guard,)
    if turn % 3 == 0:
        around = Interruption(turn % 37 * 20, math.inf, 0, outer)
        run, nested = (lambda call: around.run(lambda message: guard.run(call))), (guard, around)
    targets[0] = nested
    try:
        return run(CALLS[turn % 4])
    except (TaskTimeout, ValueError) as error:
        return str(error)
    finally:
        targets[0] = ()


def test_nothing_leaks_however_calls_and_interrupts_meet(host, abandoned, restless):
    """Interrupts are sent without a pause, from before each call until after its end; calls are nested, too."""
    inner = Terms(host, math.inf, lambda call: TaskTimeout("inner"))
    outer = Terms(host, math.inf, lambda call: TaskTimeout("outer"))
    targets, ended = [()], threading.Event()
    endings, leaks = [], []

    def press():
        while not ended.is_set():
            for target in targets[0]:
                target.press(time.monotonic())

    def hammer():
        for turn in range(6000):
            try:
                endings.append(attempt(turn, inner, outer, targets))
                for _ in range(20):
                    str(turn)
            except Interrupted as error:
                leaks.append((turn, error))

    threads = [threading.Thread(target=target, name="fsdf-test") for target in (hammer, press)]
    for thread in threads:
        thread.start()
    threads[0].join(100)
    ended.set()
    threads[1].join(PATIENCE)
    assert leaks == []
    assert len(endings) == 6000
    assert {"ok", "inner"} <= set(endings)
    assert abandoned == []
