"""Retries on every embedded broker, over restarts too."""

import threading

from fsdf_control.backoff import Constant
from fsdf_control.retry import Retry
from fsdf_core.context import current_message
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.publisher import Publisher
from fsdf_core.testing.fitting import FittingConsumer as Consumer
from fsdf_pools import SoloExecutor


def test_attempts_waits_and_the_end(embedded, workers, emptied):
    runs = {"worker": [], "queue": []}

    def task(wait):
        runs[wait].append(current_message.get().attempt)
        raise ValueError(wait)

    for wait in runs:
        queue = embedded.queue(wait)
        rule = Retry(2, backoff=Constant(0.02), wait=wait, dead_letter=True)
        Publisher(queue).publish({"wait": wait}, {"task_id": wait})
        with Consumer(task, queue=queue, pool=workers, controls=[rule]) as consumer:
            consumer.start()
            assert emptied(queue)
        (dead,) = DeadLetters(queue).list()
        assert (dead.task_id, dead.attempts, dead.error) == (wait, 3, f"ValueError: {wait}")
        assert "raise ValueError(wait)" in dead.traceback
    assert runs == {"worker": [1, 2, 3], "queue": [1, 2, 3]}


def test_who_waits_in_the_queue_survives_a_restart_with_its_count(reopened, emptied):
    attempts, failed = [], threading.Event()

    def task():
        attempts.append(current_message.get().attempt)
        failed.set()
        if len(attempts) < 3:
            raise ValueError

    Publisher(reopened().queue("q")).publish({})
    rule = Retry(5, backoff=Constant(1), wait="queue")
    for _ in range(2):
        failed.clear()
        with Consumer(task, queue=reopened().queue("q"), pool=SoloExecutor(), controls=[rule]) as consumer:
            consumer.start()
            assert failed.wait(10)
    queue = reopened().queue("q")
    assert queue.size().total == 1
    with Consumer(task, queue=queue, pool=SoloExecutor(), controls=[rule]) as consumer:
        consumer.start()
        assert emptied(queue)
    assert attempts == [1, 2, 3]
