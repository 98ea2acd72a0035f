"""The rules of a supervisor, without processes."""

from __future__ import annotations

import signal

import pytest

from fsdf.supervision.autoscaler import ScalePolicy
from fsdf.supervision.memory import resident_bytes
from fsdf.supervision.options import SupervisorOptions
from fsdf.supervision.report import Report
from fsdf.supervision.restart_policy import RestartPolicy
from fsdf_core.errors import ConfigurationError
from fsdf_pools.process_pool.exit_reason import exit_reason


def test_waits_double_until_a_crash_loop_is_told() -> None:
    policy = RestartPolicy()
    assert [policy.died(1.0) for _ in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert not policy.looping
    assert [policy.died(9.9) for _ in range(3)] == [60.0, 60.0, 60.0]
    assert policy.looping


def test_a_process_that_lived_clears_the_account() -> None:
    policy = RestartPolicy()
    for _ in range(9):
        policy.died(0.0)
    assert policy.died(10.0) == 0.1
    assert not policy.looping


def test_scaling_up_needs_a_wait_without_a_break() -> None:
    policy = ScalePolicy(1, 3, up_after=2, idle_time=30)
    ready = [5, 5, 0, 5, 5, 5, 5, 5, 5, 5]
    found, current = [], 1
    for now, waiting in enumerate(ready):
        current = policy.decide(now, current, ready=waiting, in_flight=4 * current, workers=4 * current)
        found.append(current)
    assert found == [1, 1, 1, 1, 1, 2, 2, 3, 3, 3]


def test_no_process_is_ended_that_is_needed() -> None:
    policy = ScalePolicy(1, 3, up_after=2, idle_time=10)
    assert [policy.decide(now, 2, ready=0, in_flight=5, workers=8) for now in range(60)] == [2] * 60
    assert [policy.decide(now, 2, ready=0, in_flight=4, workers=8) for now in (60, 69, 70)] == [2, 2, 1]
    assert [policy.decide(now, 1, ready=0, in_flight=0, workers=4) for now in range(80, 120)] == [1] * 40


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
def test_one_that_was_told_to_end_is_not_started_again_by_autoscaling() -> None:
    policy = ScalePolicy(2, 3, up_after=1, idle_time=5)
    policy.one_less()
    assert [policy.decide(now, 2, ready=9, in_flight=0, workers=8) for now in (0, 2)] == [2, 2]
    policy.one_less()
    assert [policy.decide(now, 1, ready=9, in_flight=0, workers=4) for now in (3, 5)] == [1, 1]
    policy.one_less()
    assert policy.decide(6, 0, ready=9, in_flight=0, workers=0) == 0


def test_reasons() -> None:
    assert exit_reason(-signal.SIGSEGV, out_of_memory=None) == "killed by SIGSEGV"
    assert exit_reason(-signal.SIGKILL, out_of_memory=True).endswith("probably out of memory")
    assert exit_reason(-signal.SIGKILL, out_of_memory=False) == "killed by SIGKILL (out of memory, or kill -9)"
    assert exit_reason(3, out_of_memory=True) == "exit code 3"


def test_a_report_travels() -> None:
    report = Report(True, 1, 2, 3, (4, 5), False, resident_bytes(), False, "trouble", True)
    assert Report.decode(report.encode()) == report


@pytest.mark.parametrize("given", [{"idle_time": 0}, {"max_memory_per_child": -1}, {"stall_limit": True}])
def test_options_that_make_no_sense(given: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(given))):
        SupervisorOptions.of(given)


def test_stalls_need_not_be_looked_for() -> None:
    assert SupervisorOptions.of({"stall_limit": None}).stall_limit is None
