from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_a_child_gets_the_pool_empty_and_ready(run_script):
    out, _ = run_script("""
        import os, threading, time
        from fsdf_pools import ShrinkableThreadPoolExecutor, BoundedThreadPoolExecutor
        pool = ShrinkableThreadPoolExecutor(3, min_workers=2)
        bounded = BoundedThreadPoolExecutor(1, queue_size=1)
        go = threading.Event()
        for each in (pool, bounded):
            each.execute(go.wait, 10)
            while each.queued: time.sleep(0.001)
        pool.execute_many(lambda: (go.wait(10), os.write(1, b"parent's\\n")), 5)
        bounded.execute(int)
        waiting = threading.Thread(target=lambda: bounded.submit(int), daemon=True)
        waiting.start()
        time.sleep(0.05)
        child = os.fork()
        if not child:
            code = 1
            try:
                assert (pool.workers, pool.queued, pool.idle, pool.busy) == (0, 0, 0, 0)
                assert pool.submit(sum, [1, 2]).result(5) == 3
                assert sorted(pool.map(abs, range(20), timeout=5)) == list(range(20))
                barrier = threading.Barrier(3)
                assert sorted(pool.map(lambda _: barrier.wait(5), range(3))) == [0, 1, 2]
                assert bounded.submit(int).result(5) == 0
                assert pool.close(5) and bounded.close(5)
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print("child", os.waitstatus_to_exitcode(status), flush=True)
        go.set()
        waiting.join(5)
        assert pool.close(5) and bounded.close(5)
    """)
    assert out.startswith("child 0\n")
    assert out.count("parent's") == 5


def test_a_call_may_fork_and_its_child_use_the_pool(run_script):
    out, _ = run_script("""
        import os
        from fsdf_pools import ShrinkableThreadPoolExecutor
        pool = ShrinkableThreadPoolExecutor(4)
        def call():
            child = os.fork()
            if not child:
                os._exit(pool.submit(int, "7").result(5))
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(pool.submit(call).result(10))
    """)
    assert out == "7\n"


def test_a_process_of_multiprocessing_finishes_its_work(run_script):
    out, _ = run_script("""
        import multiprocessing, os, time
        from fsdf_pools import ShrinkableThreadPoolExecutor
        pool = ShrinkableThreadPoolExecutor(4)
        pool.submit(int).result(5)
        def main():
            pool.execute_many(lambda: (time.sleep(0.05), os.write(1, b"ran\\n")), 4)
        process = multiprocessing.get_context("fork").Process(target=main)
        process.start()
        process.join(10)
        print(process.exitcode)
    """)
    assert out == "ran\n" * 4 + "0\n"
