"""The supervisor reloads, scales, recycles and replaces its worker processes."""

import os
import re
import signal
import sys

import pytest

from fsdf_core.testing.history import check
from tests.processes.conftest import alive

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


def test_hang_up_replaces_one_after_the_other(hire):
    boss = hire()
    boss.start(2)
    boss.until_consuming(2)
    boss.publish(3000)
    boss.until(lambda: len(boss.runs()) == 2)
    first = boss.workers()
    boss.signal(signal.SIGHUP)
    boss.until(lambda: not any(alive(pid) for pid in first))
    second = boss.workers()
    assert len(second) == 2
    boss.until_done()
    boss.terminate()
    said = [line for line in boss.output.splitlines() if "(reload)" in line or line.startswith("consuming jobs")]
    # Each new process consumes before its old one is told to drain, and before the next new one starts.
    kinds = ["reload" if "(reload)" in line else "consuming" for line in said]
    assert kinds == ["consuming", "consuming", "reload", "consuming", "reload", "consuming"]
    assert check(boss.folder / "history", range(3000), {}).duplicates == 0


def test_a_reload_of_broken_code_keeps_the_old_processes(hire):
    boss = hire()
    boss.start(2)
    boss.until_consuming(2)
    first = boss.workers()
    (boss.folder / "broken").touch()
    boss.signal(signal.SIGHUP)
    boss.until_said("reload given up")
    boss.publish(20)
    boss.until_done()
    assert boss.workers() == first
    boss.terminate()


def test_scale_up_and_down(hire):
    boss = hire()
    boss.start(1)
    boss.until_consuming(1)
    boss.call("scale 3")
    boss.until_consuming(3)
    boss.publish(1000)
    boss.until(lambda: len(boss.runs()) == 3)
    boss.call("scale 1")
    boss.until_said(r"ended \(not needed any more\)", 2)
    assert len(boss.workers()) == 1
    boss.until_done()
    boss.terminate()
    assert check(boss.folder / "history", range(1000), {}).duplicates == 0


def test_autoscaling_follows_the_queue(hire):
    boss = hire()
    boss.start(1, 3, scale_up_after=0.5, idle_time=1)
    boss.until_consuming(1)
    boss.publish(400, seconds=0.1)
    boss.until(lambda: len(boss.runs()) == 3)
    boss.until_done()
    boss.until(lambda: len(boss.workers()) == 1)
    boss.terminate()
    assert "to 4 processes" not in boss.output
    assert check(boss.folder / "history", range(400), {}).duplicates == 0


def test_a_process_is_replaced_after_so_many_tasks(hire):
    boss = hire()
    boss.publish(600, seconds=0.03)
    boss.start(1, max_tasks_per_child=60)
    boss.until_done()
    boss.until_said(r"ended \(replaced\)", 2)
    boss.terminate()
    assert re.search(r"started to replace pid \d+ \(\d+ tasks\)", boss.output)
    assert len(boss.runs()) >= 2
    assert check(boss.folder / "history", range(600), {}).duplicates == 0


def test_a_process_is_replaced_when_it_holds_too_much_memory(hire):
    boss = hire()
    boss.start(1, max_memory_per_child=1)
    boss.until_said(r"started to replace pid \d+ \(\d+ bytes\)")
    boss.until_said(r"ended \(replaced\)")
    boss.terminate()


def test_a_frozen_process_is_replaced(hire):
    boss = hire()
    boss.start(2, stall_limit=4)
    boss.until_consuming(2)
    boss.publish(400, seconds=0.05)
    boss.until(lambda: len(boss.runs()) == 2)
    frozen = boss.workers()[0]
    os.kill(frozen, signal.SIGSTOP)
    boss.kills[frozen] = 0.0
    boss.until_said(rf"pid {frozen}, died .*: tells nothing any more")
    boss.until_done()
    boss.terminate()
    check(boss.folder / "history", range(400), boss.kills)


def test_a_process_that_does_not_begin_is_started_again(hire):
    boss = hire()
    boss.start(1, start_limit=0.05)
    boss.until_said(r"died after .*: did not begin to consume within 0\.05 s; the next one starts", 2)
    boss.terminate()


def test_a_process_whose_dispatcher_has_died_is_replaced(hire):
    boss = hire("wounded")
    boss.publish(3)
    boss.start(1)
    boss.until_said(r"started to replace pid \d+ \(one of its threads has died\)")
    boss.publish(3, first=3)
    boss.until_done()
    boss.terminate()
    assert len(boss.runs()) == 2


def test_a_long_task_is_no_stall(hire):
    boss = hire()
    boss.publish(4, seconds=8)
    boss.start(1, stall_limit=5)  # longer than the start of a process takes on a busy machine
    boss.until_done()
    boss.terminate()
    assert len(boss.runs()) == 1
    assert "replace" not in boss.output
    assert "died" not in boss.output


def test_a_crash_loop_slows_down_and_says_why(hire):
    boss = hire()
    (boss.folder / "broken").touch()
    boss.start(1)
    boss.until_said("dies again and again: it is tried once a minute from now on. Last reason: exit code 1")
    waits = [line.rpartition("starts in ")[2] for line in boss.output.splitlines() if "starts in" in line]
    assert waits == ["0.1 s", "0.2 s", "0.4 s", "0.8 s", "60 s"]
    boss.terminate()


def test_a_worker_that_was_told_to_end_by_others_comes_back(hire):
    boss = hire()
    boss.start(1)
    boss.until_consuming(1)
    worker = boss.workers()[0]
    os.kill(worker, signal.SIGTERM)
    boss.until_said(rf"pid {worker}, died after .*: exit code 0; the next one starts in 0.1 s")
    boss.until_consuming(2)
    boss.terminate()
