"""What holds for consumers with threads holds in greenlets: the same tests, in interpreters that are patched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIBRARIES = ["gevent", "eventlet"]
PATIENCE = 220


def run(library, environment, *words):
    command = [sys.executable, "-W", "ignore", str(HERE / "green_run.py"), library, *words]
    own = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", **environment}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | own,
        cwd=HERE.parent.parent,
    )


def check(*runs):
    """Let runs end, and fail with what a failing one says."""
    try:
        for each in runs:
            output, _ = each.communicate(timeout=PATIENCE)
            assert each.returncode == 0, output[-10_000:]
            assert " passed" in output
    finally:
        for each in runs:
            each.kill()
            each.wait(PATIENCE)


@pytest.mark.timeout(3 * PATIENCE)
def test_the_conformance_suite_of_consumers(redis_url):
    kinds = "MEMORY_QUEUE SQLITE_QUEUE PERSISTQUEUE SQLALCHEMY REDIS_ACK_ABLE REDIS_STREAM"
    environment = {"FSDF_REDIS_URL": redis_url, "FSDF_GREEN_BROKERS": kinds}
    check(*(run(library, environment, str(HERE / "green_conformance.py")) for library in LIBRARIES))


@pytest.mark.timeout(3 * PATIENCE)
def test_sql_servers(postgres_server, mariadb_server):
    def environment():
        postgres, mariadb = postgres_server.database(), mariadb_server.database()
        kinds = f"SQLALCHEMY={postgres} SQLALCHEMY={mariadb} POSTGRES={postgres}"
        return {"FSDF_GREEN_BROKERS": kinds, "FSDF_GREEN_STATES": f"{postgres} {mariadb}"}

    words = [str(HERE / file) for file in ("green_conformance.py", "green_states.py")]
    selection = "TestConsumer or counters or leases or wakes or hears"
    check(*(run(library, environment(), *words, "-k", selection) for library in LIBRARIES))


CONTROLS = [
    *("green_controls.py", "green_stores.py", "test_retry.py", "test_dead_letter.py", "test_breaker.py"),
    *("test_batches.py", "test_timeout.py", "test_kill.py", "test_filter.py", "test_delay.py", "test_windows.py"),
    *("results/test_results.py", "results/test_results_wishes.py"),
]


@pytest.mark.timeout(2 * PATIENCE)
def test_controls():
    words = [str(HERE / file) for file in CONTROLS]
    left_out = ["persistqueue", "hundred_thousand", "redis", "coroutines_answer", "at_their_time", "elsewhere[memory"]
    selection = " and ".join(f"not {word}" for word in left_out)
    check(*(run(library, {}, *words, "-k", selection) for library in LIBRARIES))


@pytest.mark.timeout(2 * PATIENCE)
def test_the_decorators_controls():
    words = [f"packages/fsdf/tests/test_controls{part}.py" for part in ("", "_failures")]
    check(*(run(library, {"FSDF_TESTS_MODE": library}, *words) for library in LIBRARIES))


@pytest.mark.timeout(2 * PATIENCE)
def test_random_controls_over_random_histories():
    file = str(HERE / "test_promises.py")
    check(*(run(library, {"FSDF_PROMISES_EXAMPLES": "40"}, file) for library in LIBRARIES))
