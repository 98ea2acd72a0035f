"""Worker processes with greenlets: `green_processes.py`. Each imports this file, and so patches itself."""

# ruff: noqa: E402 - the patch goes first
from gevent import monkey

monkey.patch_all()

import os
import time

from fsdf import boost


@boost("green-processes", broker_kind="SQLITE_QUEUE", concurrent_mode="gevent", concurrent_num=100)
def task(x):
    time.sleep(0.2)
    os.write(1, f"{os.getpid()} {x}\n".encode())  # at once: `print` may write the end of the line by itself


if __name__ == "__main__":
    task.push_many({"x": x} for x in range(200))
    task.multi_process_consume(2)
    print(f"parent {os.getpid()}", flush=True)
