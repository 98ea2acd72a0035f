"""The end of ASYNC mode: what runs, what is left behind, what blocks."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from fsdf import ConcurrentModeEnum
from fsdf_core.waiting import wait_until

PATIENCE = 30


def threads_of(task):
    """Those of its consumer and pool, and the loops' own; other tests may have left some of theirs."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if task.queue_name in name or name.startswith("asyncio_")]


def take(ran, count):
    return [ran.get(timeout=PATIENCE) for _ in range(count)]


def test_coroutines_that_outlast_the_grace_are_given_back_and_cancelled(decorate):
    entered, cancelled = threading.Semaphore(0), threading.Semaphore(0)

    async def stay():
        entered.release()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.release()
            raise

    task = decorate(stay, concurrent_mode=ConcurrentModeEnum.ASYNC, max_retry_times=3)
    task.push_many([()] * 20)
    task.consume()
    for _ in range(20):
        assert entered.acquire(timeout=PATIENCE)
    assert not task.stop(timeout=0.1)
    for _ in range(20):
        assert cancelled.acquire(timeout=PATIENCE)
    assert task.get_message_count() == 20
    assert wait_until(lambda: not threads_of(task), PATIENCE, 0.01), threads_of(task)
    task.clear()


def test_nothing_is_left_after_a_stop_not_even_threads_of_to_thread(decorate, ran):
    background = []

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            ran.put("ended")

    async def task():
        background.append(asyncio.create_task(forever()))
        ran.put(await asyncio.to_thread(threading.get_ident))

    task = decorate(task, concurrent_mode=ConcurrentModeEnum.ASYNC)
    for _ in range(2):
        task.push()
        task.consume()
        assert isinstance(take(ran, 1)[0], int)
        assert task.stop()
        assert take(ran, 1) == ["ended"]
    assert wait_until(lambda: not threads_of(task), PATIENCE, 0.01), threads_of(task)


def test_reports_that_still_run_are_let_finish_at_a_stop(decorate, ran):
    reporting = threading.Event()

    async def report(status):
        reporting.set()
        await asyncio.sleep(0.3)
        ran.put(status.result)

    async def task(x):
        return x

    task = decorate(task, concurrent_mode=ConcurrentModeEnum.ASYNC, user_custom_record_process_info_func=report)
    task.push(7)
    task.consume()
    assert reporting.wait(PATIENCE)
    assert task.stop()
    assert take(ran, 1) == [7]


def test_a_coroutine_that_blocks_the_loop_does_not_hold_up_the_stop(decorate):
    entered, release = threading.Event(), threading.Event()

    async def block():
        entered.set()
        release.wait(PATIENCE)

    task = decorate(block, concurrent_mode=ConcurrentModeEnum.ASYNC)
    task.push()
    task.consume()
    assert entered.wait(PATIENCE)
    assert not task.stop(timeout=0.1)
    assert task.get_message_count() == 1
    release.set()
    assert wait_until(lambda: not threads_of(task), PATIENCE, 0.01), threads_of(task)
    task.clear()


SCRIPT = """
import asyncio
from fsdf import boost

@boost("ends", broker_kind="SQLITE_QUEUE", concurrent_mode="{mode}")
async def task(x):
    await asyncio.to_thread(int)
    print("ran\\n", end="", flush=True)  # one write: two threads may print at once
    await asyncio.sleep(x)

task.push(0)
task.push({last})
task.consume()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is POSIX")
@pytest.mark.parametrize("mode", ["ASYNC", "THREADING"])
@pytest.mark.parametrize("last", [0, 3600])
def test_a_process_ends_by_sigterm_without_a_warning(tmp_path, mode, last):
    environment = os.environ | {"FSDF_HOME": str(tmp_path), "FSDF_GRACE": "0.5", "FSDF_HANDLE_SIGNALS": "1"}
    script = SCRIPT.format(mode=mode, last=last)
    command = [sys.executable, "-X", "dev", "-W", "always", "-c", script]
    with subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, text=True) as process:
        try:
            for _ in range(2):
                assert process.stdout.readline() == "ran\n"
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "ResourceWarning" not in errors, errors
    assert "destroyed" not in errors, errors
    assert "Traceback" not in errors, errors
    assert "never awaited" not in errors, errors
