"""Tasks that run on the cluster; its workers import this module. They write what happens into files."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from fsdf import BoosterParams, BrokerEnum, ConcurrentModeEnum, fct


class OnRay(BoosterParams):
    """Two workers, a queue in memory."""

    broker_kind: str = BrokerEnum.MEMORY_QUEUE
    concurrent_mode: ConcurrentModeEnum = ConcurrentModeEnum.RAY
    concurrent_num: int = 2
    max_retry_times: int = 1


def write(folder: str, name: str, text: object = "") -> int:
    """Write a line into a file; return how many it has now."""
    path = Path(folder, name)
    with path.open("a") as file:
        file.write(f"{text}\n")
    return len(path.read_text().splitlines())


@OnRay(queue_name="ray-where")
def where(folder: str) -> None:
    write(folder, "where", f"{os.getpid()} {fct.task_id} {fct.queue_name}")


@OnRay(queue_name="ray-waits")
async def waits(folder: str) -> None:
    write(folder, "waited", os.getpid())


@OnRay(queue_name="ray-dies")
def dies(folder: str) -> None:
    if write(folder, "attempts") == 1:
        os._exit(3)
    write(folder, "survived")


@OnRay(queue_name="ray-endless", function_timeout=2)
def endless(folder: str) -> None:
    if write(folder, "begun") == 1:
        # In C, holding the interpreter, for longer than anybody waits.
        re.match(r"(a+)+$", "a" * 60 + "b")
    write(folder, "ended")


@OnRay(queue_name="ray-killed", is_support_remote_kill_task=True)
def killed(folder: str, number: int) -> None:
    write(folder, f"killed-{number}", f"{fct.task_id} {os.getpid()}")
    if number == 1:
        time.sleep(600)


@OnRay(queue_name="ray-stopped")
def stopped(folder: str) -> None:
    if write(folder, "stopped", os.getpid()) == 1:
        time.sleep(600)
