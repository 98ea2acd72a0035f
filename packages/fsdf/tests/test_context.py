"""`fct`: what runs here."""

import logging
import threading

import pytest

from fsdf import FctContextThread, boost, fct, get_current_taskid
from fsdf_core.errors import ConsumerError


def test_outside_a_task():
    assert get_current_taskid() == ""
    with pytest.raises(ConsumerError, match="no task runs here"):
        _ = fct.task_id


def test_each_task_sees_itself(caplog):
    seen, all_in = {}, threading.Barrier(3, timeout=5)
    ended = threading.Semaphore(0)

    @boost("fct_q", broker_kind="MEMORY_QUEUE", concurrent_num=3, logger_name="my.logger", max_retry_times=1)
    def task(x):
        all_in.wait()
        fct.logger.info("x is %d", x)
        threads = []
        other = FctContextThread(target=lambda: threads.append(get_current_taskid()))
        other.start()
        other.join()
        seen[x] = (fct.task_id, get_current_taskid(), threads[0], fct.queue_name, fct.function_params)
        ended.release()

    with caplog.at_level(logging.INFO, "my.logger"):
        ids = [task.push(x).task_id for x in range(3)]
        task.consume()
        try:
            for _ in range(3):
                assert ended.acquire(timeout=5)
        finally:
            task.stop()
    for x, task_id in enumerate(ids):
        assert seen[x] == (task_id, task_id, task_id, "fct_q", {"x": x})
        assert f"[{task_id}] x is {x}" in caplog.text


def test_attempts_and_the_full_message():
    attempts, done = [], threading.Event()

    @boost("fct_attempts", broker_kind="MEMORY_QUEUE", max_retry_times=2)
    def task(x):
        attempts.append(fct.attempt)
        if fct.attempt < 3:
            raise ValueError
        assert fct.full_msg["x"] == x
        assert fct.full_msg["extra"]["task_id"] == fct.task_id
        done.set()

    task.push(1)
    task.consume()
    try:
        assert done.wait(5)
    finally:
        task.stop()
    assert attempts == [1, 2, 3]
