"""A task is ended from the process that consumes it, whatever registry its function is in."""

import threading

import pytest

from fsdf import BoosterRegistry, BrokerEnum, RemoteTaskKiller


@pytest.mark.parametrize("both", [False, True])
def test_a_task_of_another_registry_is_killed(decorate, both):
    ran, ended = [], threading.Event()

    def f(x):
        ran.append(x)
        ended.set()

    task = decorate(
        f, broker_kind=BrokerEnum.MEMORY_QUEUE, is_support_remote_kill_task=True, concurrent_num=1,
        booster_registry_name="elsewhere",
    )  # fmt: skip
    if both:  # the same name, at a broker whose state is elsewhere
        decorate(lambda x: x, queue_name=task.queue_name, broker_kind=BrokerEnum.SQLITE_QUEUE)
    assert BoosterRegistry("elsewhere").get_booster(task.queue_name) is task
    killed = task.push(1)
    task.push(2)
    RemoteTaskKiller(task.queue_name, killed.task_id).send_kill()
    task.consume()
    assert ended.wait(30)
    assert ran == [2]
