"""What an import and a decoration cost and touch."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pytest

import fsdf


def test_the_exports_are_sorted_and_complete():
    assert fsdf.__all__ == sorted(fsdf.__all__)
    assert set(fsdf.__all__) - {"__version__"} == set(fsdf._HOMES)
    for name in fsdf.__all__:
        assert getattr(fsdf, name) is not None
    assert dir(fsdf) == fsdf.__all__
    with pytest.raises(AttributeError, match="no attribute 'bost'"):
        _ = fsdf.bost


WATCHED = """
import sys, threading
opened = []
known = (".py", ".pyc", ".so", ".pyd", ".txt", ".pth", "METADATA", "PKG-INFO", ".json")
def watch(event, args):
    if event in ("socket.connect", "socket.bind", "sqlite3.connect", "subprocess.Popen"):
        opened.append((event, args))
    if event == "open" and isinstance(args[0], str) and (args[2] or 0) & 3 and args[0] != "/dev/null":
        opened.append((event, args))
sys.addaudithook(watch)
from fsdf import *
@boost("q", broker_kind=BrokerEnum.SQLITE_QUEUE, qps=5)
def f(x): ...
assert not opened, opened
assert threading.active_count() == 1
assert "pydantic_settings" not in sys.modules or True
import logging
assert not logging.getLogger().handlers and not logging.getLogger("fsdf").handlers
"""


def test_importing_and_decorating_is_silent_and_leaves_nothing(tmp_path):
    script = WATCHED.replace("from fsdf import *", "from fsdf import boost, BrokerEnum")
    script = script.replace(" or True", "")
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.realtime
def test_importing_costs_little():
    def median(code: str) -> float:
        spans = []
        for _ in range(7):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
            spans.append(time.perf_counter() - begun)
        return statistics.median(spans)

    assert median("import fsdf") - median("pass") < 0.2


def test_star_import_works():
    namespace: dict = {}
    exec("from fsdf import *", namespace)
    assert namespace["boost"] is fsdf.boost
