"""A process that runs the calls of an executor: `python consumer.py broker queue`."""

import sys

from fsdf import BoosterParams, QueueExecutor

if __name__ == "__main__":
    executor = QueueExecutor(
        BoosterParams(queue_name=sys.argv[2], broker_kind=sys.argv[1]), modules=["tests.executors"]
    )
    print("ready", flush=True)
