"""Worker processes whose consumers were told to end, by `fsdf workers stop` or the web UI."""

import sys

import pytest

from fsdf_core import registry
from fsdf_core.roster import Roster
from fsdf_core.settings import Settings
from fsdf_core.testing.history import check
from tests.processes.conftest import HERE, WAIT, alive

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.fixture
def store(tmp_path):
    """The state store, opened first: workers enlist where it is in use."""
    opened = registry.states.get("sqlite").from_url(f"sqlite:///{tmp_path}/home/state.sqlite", Settings())
    roster = Roster(opened)
    roster.queues()
    yield roster
    opened.close()


def test_nobody_takes_the_place_of_one_that_was_told_to_end_and_the_last_one_ends_the_supervisor(hire, store):
    boss = hire()
    boss.start(2)
    boss.until_consuming(2)
    boss.until(lambda: len(store.workers("jobs")) == 2)
    boss.publish(200)
    first = store.workers("jobs")[0]
    store.shut_down(first.consumer_id)
    boss.until_said(rf"pid {first.pid}, ended with exit code 0: its consumers were told to end")
    assert "all consumers of this worker process were told to end" in boss.output
    assert len(boss.workers()) == 1
    boss.until_done()
    assert len(boss.started()) == 2
    (second,) = store.workers("jobs")
    store.shut_down(second.consumer_id)
    boss.until_said("every process was told to end, so the supervisor ends")
    boss.until(lambda: not alive(second.pid))
    boss.process.stdin.close()
    assert boss.process.wait(WAIT) == 0, boss.output
    assert "died" not in boss.output
    assert check(boss.folder / "history", range(200), {}).duplicates == 0


def test_a_process_goes_on_while_one_of_its_consumers_does(hire, store):
    boss = hire("grouped-1")
    boss.start(1, command=(str(HERE / "group.py"),))
    boss.until_said("consuming grouped-", 2)
    boss.until(lambda: len(store.workers()) == 2)
    worker = boss.workers()
    store.shut_down(store.workers("grouped-2")[0].consumer_id)
    boss.until(lambda: not store.workers("grouped-2"))
    boss.publish(5)
    boss.until_done()
    assert boss.workers() == worker
    store.shut_down(store.workers("grouped-1")[0].consumer_id)
    boss.until_said("its consumers were told to end, so nobody takes its place")
    assert boss.end() == 0, boss.output
