"""Random controls over random histories with crashes: nothing is lost, runs too often, loops or stays behind.

`FSDF_PROMISES_EXAMPLES` is the number of histories; default 100.
"""

import logging
import os
import threading
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from fsdf_control import Delay, pause, resume
from fsdf_control.kill import kill
from fsdf_core import ticker
from fsdf_core.broker import OutgoingMessage
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.codec import decode
from fsdf_core.dead_letter import NOTE, original_body
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore

from .histories import body_of, histories
from .ledger import Record
from .mortal import LeapingClock, Life, MortalBroker
from .mortal_process import MortalProcess
from .promises import check

EXAMPLES = int(os.environ.get("FSDF_PROMISES_EXAMPLES", "100"))
PATIENCE = 30.0
HOLD = 11.0
"""Seconds after which the dead hold nothing in the store."""

FAULTS = (
    "an effect of",
    "a control failed",
    "an outcome hook failed",
    "cannot be ended",
    "cannot settle",
    "is told of each task failed",
    "fails, trying on",
    "cannot receive",
    "ran out",
    "is stuck",
)


class World:
    """What outlives the processes: queues, the store, and what is known of it all."""

    def __init__(self, history):
        self.history = history
        self.broker = MemoryBroker()
        self.queue = self.broker.queue("q", serialize=True)
        self.clock = LeapingClock()
        self.store = MemoryStateStore(self.clock)
        self.record = Record(history.calls)
        self.process = MortalProcess(history, self.record, self.broker, self.store)

    def live(self):
        """Let it all happen."""
        half = len(self.history.calls) // 2
        for call in self.history.calls:
            if call.killed:
                kill(self.store, "q", str(call.task_id))
        self.send(self.history.calls[:half])
        self.process.start()
        self.queue.send([OutgoingMessage(body) for body in self.history.junk])
        self.send(self.history.calls[half:])
        for event in self.history.events:
            self.happen(event)
        assert wait(self.is_done), f"not done after {PATIENCE:g} s: {self.queue.size()}, {self.record.unended()}"
        self.process.stop()
        self.process.bury()

    def send(self, calls):
        queue = MortalBroker(self.broker, Life(), delay=self.history.broker_delays).queue("q")
        delays = "Delay" in self.history.controls
        publisher = Publisher(queue, controls=[Delay()] if delays else [])
        for call in calls:
            now = time.time()
            countdown = call.options.get("countdown")
            if delays and isinstance(countdown, float) and not isinstance(call.options.get("publish_time"), float):
                self.record.due[call.n] = now + countdown
            if call.form == "published":
                extra = {"task_id": call.task_id, **call.options}
                publisher.publish(call.arguments, extra, priority=call.priority)
            else:
                self.queue.send([OutgoingMessage(body_of(call), priority=call.priority)])

    def happen(self, event):
        process, life = self.process, self.process.life
        if event.kind == "fuse":
            life.light(event.after)
        starts = self.record.starts + event.after
        wait(lambda: life.over or self.is_done() or (event.kind != "fuse" and self.record.starts >= starts))
        if event.kind in {"crash", "fuse"}:
            process.crash()
            process.bury()
            self.clock.leap(HOLD)
            self.process = MortalProcess(self.history, self.record, self.broker, self.store)
            self.process.start()
        elif event.kind == "stop":
            process.stop()
            process.start()
        elif event.kind == "kill":
            target = self.history.calls[event.target]
            self.record.killed_late.add(target.n)
            kill(self.store, "q", str(target.task_id))
        elif "Pause" in process.rules:
            pause(self.store, "q")
            assert wait(lambda: process.rules["Pause"].paused), "not paused"
            resume(self.store, "q")

    def is_done(self):
        with self.process.life.still():
            return not self.queue.size().total

    def dead_letters(self):
        found = Counter()
        for delivery in self.broker.queue("q_dlx", serialize=True).subscribe("reader", 1).receive(1000, 0):
            message = decode(delivery.body)
            body = original_body(message.arguments, message.extra[NOTE])
            found[message.arguments["n"] if body is None else bytes(body)] += 1
        return found


class Watch(logging.Handler):
    """Makes faults of what the log says of them."""

    def __init__(self, world):
        super().__init__()
        self._world = world

    def emit(self, record):
        text = record.getMessage()
        if any(fault in text for fault in FAULTS) and not self._world.process.life.over:
            self._world.record.faults.append(f"{text} {record.exc_info and record.exc_info[1]!r}")


def wait(condition):
    """Wait until it holds; False if it does not in time."""
    ends, pause_ = time.monotonic() + PATIENCE, threading.Event()
    while not condition():
        if time.monotonic() > ends:
            return False
        pause_.wait(0.002)
    return True


def threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("fsdf-")}


@pytest.fixture(scope="module", autouse=True)
def quick_ticks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticker, "PERIOD", 0.02)
        yield


@pytest.mark.timeout(max(300, 2 * EXAMPLES))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    # Threads decide too, so that a smaller history would not fail in the same way.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(history=histories())
def test_any_controls_keep_the_promises_over_any_history(history):
    before = threads()
    world = World(history)
    log = logging.getLogger("fsdf")
    watch = Watch(world)
    log.addHandler(watch)
    log.propagate = False
    try:
        world.live()
    finally:
        if world.process.consumer.running:
            world.process.crash()
        log.propagate = True
        log.removeHandler(watch)
    check(history, world.record, world.dead_letters())
    assert wait(lambda: threads() <= before), threads() - before
