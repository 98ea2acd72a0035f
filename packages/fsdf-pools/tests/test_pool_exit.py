from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

BEGIN = "import time, threading\nfrom fsdf_pools import ShrinkableThreadPoolExecutor\n"


# Python 3.12.0 and 3.12.1 start no thread from the end of the main thread on.
needs_threads_at_exit = pytest.mark.skipif(
    (3, 12, 0) <= sys.version_info < (3, 12, 2), reason="this Python starts no threads while it exits"
)


def script(code: str) -> str:
    return BEGIN + textwrap.dedent(code)


def test_what_was_submitted_is_finished(run_script):
    out, _ = run_script(
        script("""
        pool = ShrinkableThreadPoolExecutor(10)
        for number in range(100):
            pool.submit(lambda: (time.sleep(0.01), print("ran", flush=True)))
        """)
    )
    assert out.count("ran") == 100


@needs_threads_at_exit
def test_the_pool_still_grows_while_the_interpreter_exits(run_script):
    out, seconds = run_script(
        script("""
        pool = ShrinkableThreadPoolExecutor(200)
        pool.execute_many(lambda: (time.sleep(0.3), print("ran", flush=True)), 200)
        """)
    )
    assert out.count("ran") == 200
    assert seconds < 3


def test_work_that_running_calls_add_is_finished_too(run_script):
    out, _ = run_script(
        script("""
        first, second = ShrinkableThreadPoolExecutor(3), ShrinkableThreadPoolExecutor(3, queue_size=2)
        def call(depth):
            time.sleep(0.01)
            if depth:
                (second if depth % 2 else first).submit(call, depth - 1)
            else:
                print("end")
        first.submit(call, 12)
        first.execute(call, 7)
        """)
    )
    assert out == "end\n" * 2


@needs_threads_at_exit
def test_calls_may_use_other_executors_and_threads_meanwhile(run_script):
    out, _ = run_script(
        script("""
        pool = ShrinkableThreadPoolExecutor(3)
        def call():
            import asyncio
            from concurrent.futures import ThreadPoolExecutor
            time.sleep(0.1)
            with ThreadPoolExecutor(2) as other:
                print(sum(other.map(abs, [-1, -2])))
            async def main():
                return await asyncio.to_thread(int, "4")
            print(asyncio.run(main()))
        pool.submit(call)
        """)
    )
    assert out == "3\n4\n"


def test_a_thread_that_outlives_the_main_thread_may_submit(run_script):
    out, _ = run_script(
        script("""
        pool = ShrinkableThreadPoolExecutor(3, min_workers=1)
        pool.submit(int).result(5)
        def late():
            time.sleep(0.1)
            pool.execute(lambda: (time.sleep(0.1), print("late")))
        threading.Thread(target=late).start()
        """)
    )
    assert out == "late\n"


def test_a_pool_without_workers_is_served_although_threads_are_refused(run_script):
    out, _ = run_script(
        script("""
        first, second = ShrinkableThreadPoolExecutor(1), ShrinkableThreadPoolExecutor(1)
        def refuse(thread):
            raise RuntimeError("can't start new thread")
        def call():
            time.sleep(0.2)
            threading.Thread.start = refuse
            second.execute(print, "served")
            print(second.submit(int, "7").result(5))
        first.submit(call)
        """)
    )
    assert out == "served\n7\n"


def test_a_failing_script_still_finishes_its_work():
    code = script("""
        pool = ShrinkableThreadPoolExecutor(3)
        pool.execute(lambda: (time.sleep(0.05), print("ran")))
        raise SystemExit(3)
        """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "ran\n", "")


@pytest.mark.realtime
def test_idle_workers_do_not_delay_the_exit(run_script):
    out, _ = run_script(
        script("""
        import atexit
        def told():
            print(time.perf_counter() - start < 0.2)
        # Registered before the hooks of the pools, so run after them.
        atexit.register(told)
        pool = ShrinkableThreadPoolExecutor(20, min_workers=20, keep_alive=1000)
        barrier = threading.Barrier(20)
        list(pool.map(barrier.wait, [5] * 20))
        while pool.idle < 20:
            time.sleep(0.001)
        start = time.perf_counter()
        """)
    )
    assert out == "True\n"


def test_an_unused_and_a_closed_pool_exit_at_once(run_script):
    run_script(
        script("""
        unused, closed = ShrinkableThreadPoolExecutor(5), ShrinkableThreadPoolExecutor(5)
        closed.submit(int).result(5)
        closed.shutdown()
        """),
        timeout=5,
    )


LEFT_RUNNING = {
    "threads": """
        pool = ShrinkableThreadPoolExecutor(3)
        tenant = pool._crew
        pool.execute(time.sleep, 600)
        """,
    "coroutines": """
        import asyncio
        from fsdf_pools.async_pool import AsyncPool
        tenant = pool = AsyncPool(3)
        pool.submit(asyncio.sleep, 600)
        """,
    "a coroutine that will not be cancelled": """
        import asyncio
        from fsdf_pools.async_pool import AsyncPool
        tenant = pool = AsyncPool(3)
        async def stay():
            while True:
                try:
                    await asyncio.sleep(600)
                except asyncio.CancelledError:
                    pass
        pool.submit(stay)
        """,
    "greenlets": """
        from gevent import monkey
        monkey.patch_all()
        from fsdf_pools.gevent_pool import GeventPool
        tenant = pool = GeventPool(3)
        pool.submit(time.sleep, 600)
        """,
    "processes": """
        from fsdf_pools.process_pool import ProcessPool
        pool = ProcessPool(1)
        tenant = pool._staff
        pool.submit(time.sleep, 600)
        """,
}

# A real thread tells, whatever is patched: Python handles signals in the main one, in a greenlet of which Ctrl-C would
# be lost.
NATIVE = """
        import _thread, os
        start, sleep = _thread.start_new_thread, time.sleep
        """
TELL_WHEN_THE_EXIT_WAITS = """
        def tell():
            while tenant.bell is None:
                sleep(0.01)
            os.write(1, b"waiting\\n")
        start(tell, ())
        """


@pytest.mark.skipif(os.name == "nt", reason="a process of its own cannot be sent Ctrl-C alone there")
@pytest.mark.parametrize("left", LEFT_RUNNING)
def test_one_ctrl_c_ends_the_wait(left):
    code = script(NATIVE + LEFT_RUNNING[left] + TELL_WHEN_THE_EXIT_WAITS)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "waiting\n"
            process.send_signal(signal.SIGINT)
            process.wait(60)
        finally:
            process.kill()


def test_a_loop_that_its_owner_closed_holds_up_no_exit():
    code = script("""
        import asyncio
        from fsdf_pools.async_pool import AsyncPool
        loop = asyncio.new_event_loop()
        pool = AsyncPool(3, loop=loop, run_loop=False)
        async def main():
            pool.submit(asyncio.sleep, 600)
        loop.run_until_complete(main())
        loop.close()
        """)
    # What asyncio says of the lost coroutine is its own affair.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "atexit" not in done.stderr
