"""What becomes of tasks that raise."""

from __future__ import annotations

from fsdf import ExceptionForPushToDlxqueue, ExceptionForRequeue, ExceptionForRetry, TaskOptions

WAIT = 30.0


def take(ran, count):
    return [ran.get(timeout=WAIT) for _ in range(count)]


def test_a_failing_task_runs_again_as_often_as_told(decorate, ran, caplog):
    def fail(x):
        ran.put(x)
        raise ExceptionForRetry("no") if x % 2 else OSError("no")

    task = decorate(fail, max_retry_times=2)
    task.push(1)
    task.push(2)
    task.publish({"x": 3}, task_options=TaskOptions(max_retry_times=0))
    task.publish({"x": 4}, task_options=TaskOptions(max_retry_times=1))
    task.consume()
    assert sorted(take(ran, 9)) == [1, 1, 1, 2, 2, 2, 3, 4, 4]
    assert task.stop()
    assert ran.empty()
    assert task.get_message_count() == 0
    assert "Traceback" in caplog.text


def test_the_traceback_can_be_left_out(decorate, ran, caplog):
    def fail():
        ran.put(1)
        raise OSError("gone")

    task = decorate(fail, max_retry_times=0, is_print_detail_exception=False)
    task.push()
    task.consume()
    take(ran, 1)
    task.stop()
    assert "OSError: gone" in caplog.text
    assert "Traceback" not in caplog.text


def test_requeue_brings_the_message_back_without_counting(decorate, ran):
    seen = []

    def come_back(x):
        seen.append(x)
        if len(seen) < 4:
            raise ExceptionForRequeue
        ran.put(x)

    task = decorate(come_back, max_retry_times=0)
    task.push(5)
    task.consume()
    assert take(ran, 1) == [5]
    assert seen == [5] * 4


def test_other_signals_do_not_retry(decorate, ran):
    def give_up():
        ran.put(1)
        raise ExceptionForPushToDlxqueue("poison")

    task = decorate(give_up, max_retry_times=3)
    task.push()
    task.consume()
    take(ran, 1)
    task.stop()
    assert ran.empty()
