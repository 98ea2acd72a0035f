"""Who sits in a supervisor's place, without processes."""

from __future__ import annotations

import logging
from itertools import count

import pytest

from fsdf.supervision.options import SupervisorOptions
from fsdf.supervision.slot import Slot


class Worker:
    """Stands for a process that consumes when it is told so."""

    pids = count(1)

    def __init__(self) -> None:
        self.pid = next(self.pids)
        self.name = f"fsdf-q-{self.pid}"
        self.consuming = False
        self.ended = self.retired = False
        self.lived = self.silent_for = 0.0
        self.report = None
        self.trouble = self.why = ""

    def listen(self) -> None:
        pass

    def stall(self, limit: float) -> str:
        return self.trouble

    def drain(self, timeout: float, why: str) -> None:
        self.why = why


@pytest.fixture
def slot() -> Slot:
    slot = Slot(1, Worker, SupervisorOptions(), 30.0, logging.getLogger("test"))
    slot.tick(may_reload=True)
    slot.current.consuming = True
    return slot


def test_the_old_process_stays_until_its_replacement_consumes(slot: Slot) -> None:
    old = slot.current
    slot.ask_reload()
    assert slot.tick(may_reload=True) == []
    assert slot.tick(may_reload=True) == []
    assert (slot.current, old.why) == (old, "")
    slot.successor.consuming = True
    assert slot.tick(may_reload=True) == [old]
    assert (old.why, slot.successor, slot.reloading) == ("replaced", None, False)


def test_a_process_that_does_no_work_keeps_nothing_from_its_replacement(slot: Slot) -> None:
    old = slot.current
    old.trouble = "one of its threads has died"
    assert slot.tick(may_reload=True) == [old]
    assert old.why == "replaced"
    assert slot.current is not old
    assert slot.successor is None


def test_it_keeps_nothing_from_one_that_was_to_replace_it_anyway(slot: Slot) -> None:
    old = slot.current
    slot.ask_reload()
    slot.tick(may_reload=True)
    new = slot.successor
    assert slot.tick(may_reload=True) == []
    old.trouble = "one of its threads has died"
    assert slot.tick(may_reload=True) == [old]
    assert (slot.current, slot.successor, old.why) == (new, None, "replaced")
