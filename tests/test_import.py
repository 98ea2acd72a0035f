"""Importing is silent, cheap and without effects."""

import os
import statistics
import subprocess
import sys
import time

import pytest

PACKAGES = ["fsdf_pools", "fsdf_core", "fsdf_control", "fsdf_brokers", "fsdf_web", "fsdf_cli", "fsdf"]
WATCH = """
import sys, threading
effects = []
def hook(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if (writes and not str(args[0]).endswith(".pyc")) or event in ("socket.connect", "socket.bind", "os.mkdir"):
        if "__pycache__" not in str(args[0]):
            effects.append((event, args))
sys.addaudithook(hook)
import {package}
assert not effects, effects
assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
"""


def run(code, cwd):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_import_has_no_effect(package, tmp_path):
    done = run(WATCH.format(package=package), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert os.listdir(tmp_path) == []


def test_decorating_has_no_effect(tmp_path):
    code = WATCH.format(package="fsdf") + (
        "\nfsdf.boost('q', broker_kind=fsdf.BrokerEnum.SQLITE_QUEUE, qps=5)(lambda x: x)"
        "\nassert not effects, effects\nassert threading.enumerate() == [threading.main_thread()]"
    )
    done = run(code, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert os.listdir(tmp_path) == []


@pytest.mark.realtime
def test_import_is_quick(tmp_path):
    def seconds(code):
        started = time.perf_counter()
        assert run(code, tmp_path).returncode == 0
        return time.perf_counter() - started

    run("import fsdf", tmp_path)
    extra = [seconds("import fsdf") - seconds("pass") for _ in range(9)]
    assert statistics.median(extra) < 0.2
