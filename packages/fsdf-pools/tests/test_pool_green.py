from __future__ import annotations

import importlib.util

import pytest

PATCHES = {
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}

SCRIPT = """
import warnings
warnings.simplefilter("ignore")
{patch}
import threading, time
from fsdf_pools import BoundedThreadPoolExecutor, ShrinkableThreadPoolExecutor

start = time.monotonic()
with ShrinkableThreadPoolExecutor(100) as pool:
    list(pool.map(time.sleep, [0.2] * 100))
print(time.monotonic() - start < 1.5)

pool = ShrinkableThreadPoolExecutor(100, keep_alive=0.05)
ran = []
pool.execute_many(lambda: (time.sleep(0.2), ran.append(1)), 100)
for _ in range(10_000):
    pool.execute(int)
time.sleep(0.6)
print(len(ran), pool.workers)

with BoundedThreadPoolExecutor(2, queue_size=1) as bounded:
    print(sum(bounded.map(lambda n: time.sleep(0.001) or n, range(50))))

pool.execute_many(lambda: (time.sleep(0.1), print("at exit", flush=True)), 3)
"""


@pytest.mark.parametrize("library", PATCHES)
def test_it_works_patched(run_script, library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    out, seconds = run_script(SCRIPT.format(patch=PATCHES[library]))
    assert out == "True\n100 0\n1225\n" + "at exit\n" * 3
    assert seconds < 8
