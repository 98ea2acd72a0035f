from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import fsdf_pools

README = Path(__file__).parents[1] / "README.md"


def test_importing_is_silent_cheap_and_starts_nothing(run_script):
    code = """
        import threading, time, sys, logging, concurrent.futures, queue, weakref
        start = time.process_time()
        import fsdf_pools
        print(time.process_time() - start)
        assert threading.active_count() == 1
        assert "concurrent.futures.thread" not in sys.modules
    """
    assert min(float(run_script(code)[0]) for _ in range(3)) < 0.03


def test_the_entry_points_lead_to_the_pools():
    pools = {entry.name: entry.load() for entry in entry_points(group="fsdf.pools")}
    assert pools["threading"] is fsdf_pools.ShrinkableThreadPoolExecutor
    assert pools["single_thread"] is fsdf_pools.SoloExecutor


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL))
def test_the_examples_of_the_readme_run(run_script, block):
    run_script(block)
