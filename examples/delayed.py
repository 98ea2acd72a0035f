"""Tasks that wait for their time on the queue: no worker is occupied meanwhile, and a restart changes nothing.

`python delayed.py publish` only publishes, `python delayed.py consume` only consumes, without a word it does both.
FSDF_BROKER says which broker keeps the tasks.
"""

import datetime
import sys
import time

from fsdf import PriorityConsumingControlConfig, TaskOptions, boost

SOON = 3.0
"""Seconds until the delayed tasks are due."""


@boost("delayed")
def report(name: str, number: int, due: float) -> None:
    print(f"{name} {number}: {time.time() - due:.3f} s after its time")


def moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.now().astimezone() + datetime.timedelta(seconds=seconds)


def publish(name: str, number: int, seconds: float, options: TaskOptions) -> None:
    # PriorityConsumingControlConfig and priority_control_config are older names of TaskOptions and task_options.
    report.publish({"name": name, "number": number, "due": time.time() + seconds}, priority_control_config=options)


def publish_all() -> None:
    report.clear()
    for number in range(5):
        later = SOON + number / 10
        publish("countdown", number, later, TaskOptions(countdown=later))
        publish("eta", number, later, PriorityConsumingControlConfig(eta=moment(later)))
        publish("in time", number, later, TaskOptions(countdown=later, misfire_grace_time=60))
        # Half an hour late: more than the first one allows, less than the second one does.
        publish("misfired", number, -1800, TaskOptions(eta=moment(-1800), misfire_grace_time=30))
        publish("late", number, -1800, TaskOptions(eta=moment(-1800), misfire_grace_time=100_000_000))
        publish("overdue", number, -1800, TaskOptions(eta=moment(-1800)))
        publish("at once", number, 0, TaskOptions())
    print("published")


if __name__ == "__main__":
    if "consume" not in sys.argv:
        publish_all()
    if "publish" not in sys.argv:
        report.consume()
        print("consuming")
