"""Worker processes share the work, survive, end and leave nothing behind."""

import os
import random
import re
import signal
import sys
import threading

import pytest

from fsdf_core.testing.history import check
from tests.processes.conftest import alive

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.mark.parametrize("kind", ["SQLITE_QUEUE", "REDIS_ACK_ABLE"])
def test_kill_of_workers_loses_nothing(hire, kind, request, monkeypatch):
    if kind.startswith("REDIS"):
        monkeypatch.setenv("FSDF_REDIS_URL", request.getfixturevalue("redis_url"))
    boss = hire(kind=kind)
    boss.publish(2000)
    boss.start(3)
    for strike in range(4):
        boss.until(lambda: [pid for pid in boss.workers() if boss.runs()[pid]])
        boss.kill(random.choice([pid for pid in boss.workers() if boss.runs()[pid]]))
        boss.until_said(r"died after .* killed by SIGKILL", strike + 1)
        threading.Event().wait(0.3)
    boss.until_done()
    boss.terminate()
    report = check(boss.folder / "history", range(2000), boss.kills)
    assert report.accepted == 2000
    assert len(boss.runs()) >= 3


def test_sigterm_drains_without_duplicates(hire):
    boss = hire()
    boss.start(2)
    boss.until_consuming(2)
    boss.publish(100, seconds=0.2)
    boss.until(lambda: len(boss.runs()) == 2)
    boss.terminate()
    assert boss.queue.size().ready > 0
    assert boss.queue.size().unacked == 0
    before = sum(boss.runs().values())
    boss.output = ""
    boss.start(2)
    boss.until_done()
    boss.terminate()
    assert sum(boss.runs().values()) == 100 > before
    assert check(boss.folder / "history", range(100), {}).duplicates == 0


def test_ctrl_c_reaches_all_and_drains_once(hire):
    boss = hire()
    boss.start(2)
    boss.until_consuming(2)
    boss.publish(60, seconds=0.3)
    boss.until(lambda: len(boss.runs()) == 2)
    os.killpg(boss.process.pid, signal.SIGINT)
    assert boss.end() == 0, boss.output
    assert not boss.workers()
    assert "Traceback" not in boss.output
    assert boss.queue.size().unacked == 0


def test_a_second_signal_stops_hard(hire):
    boss = hire()
    boss.publish(8, seconds=600)
    boss.start(2)
    boss.until(lambda: boss.queue.size().unacked >= 8)
    boss.signal(signal.SIGTERM)
    threading.Event().wait(0.5)
    assert boss.process.poll() is None
    boss.signal(signal.SIGTERM)
    assert boss.end() == 128 + signal.SIGTERM
    boss.until(lambda: not boss.workers())
    assert boss.queue.size().total == 8


def test_tasks_that_outlast_the_grace_run_again(hire):
    boss = hire()
    boss.environment["FSDF_GRACE"] = "0.5"
    boss.publish(8, seconds=600)
    boss.start(2)
    boss.until(lambda: boss.queue.size().unacked >= 8)
    boss.terminate()
    assert boss.queue.size().ready == 8
    assert len(re.findall("what it had not finished runs again", boss.output)) == 2


def test_kill_of_the_supervisor_leaves_no_orphan_and_loses_nothing(hire):
    boss = hire()
    boss.start(2)
    boss.until_consuming(2)
    boss.publish(150, seconds=0.1)
    boss.until(lambda: len(boss.runs()) == 2)
    workers = boss.workers()
    boss.signal(signal.SIGKILL)
    boss.until(lambda: not any(alive(pid) for pid in workers))
    boss.end()
    assert boss.queue.size().total > 0
    assert boss.queue.size().unacked == 0
    boss.start(2)
    boss.until_done()
    boss.terminate()
    assert check(boss.folder / "history", range(150), {}).duplicates == 0


def test_stop_by_call(hire):
    boss = hire()
    boss.publish(4)
    boss.start(2)
    boss.until_done()
    boss.call("stop")
    boss.until_said("did stop True")
    assert not boss.workers()
    boss.process.stdin.close()
    assert boss.end() == 0


def test_coroutines_in_worker_processes(hire):
    boss = hire("coroutines")
    boss.start(2)
    boss.until_consuming(2)
    boss.publish(1000, seconds=0.1)
    boss.until_done()
    boss.terminate()
    assert check(boss.folder / "history", range(1000), {}).duplicates == 0
    assert len(boss.runs()) == 2


def test_a_rate_is_shared_by_the_processes(hire):
    boss = hire("limited")
    boss.start(2)
    boss.until_consuming(2)
    threading.Event().wait(2.5)  # they find each other within this time
    boss.publish(60)
    boss.until_done()
    boss.terminate()
    lines = [line.split() for log in (boss.folder / "history").glob("*.log") for line in log.read_text().splitlines()]
    times = sorted(float(when) for event, _, when in lines if event == "start")
    assert len(times) == 60
    assert times[-1] - times[0] >= 59 / 20 * 0.8
