"""Functions that run in child processes, and tell of it in a file."""

import asyncio
import ctypes
import json
import os
import re
import threading
import time
from pathlib import Path

from fsdf_core.context import current_message
from fsdf_core.errors import ExceptionForPushToDlxqueue, ExceptionForRequeue, ExceptionForRetry


def note(log, *words):
    """Write a line, whole or not at all."""
    with Path(log).open("a") as file:
        file.write(json.dumps(words) + "\n")


def noted(log):
    log = Path(log)
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def act(log, what):
    """End in the way that is asked for."""
    message = current_message.get()
    before = [line[0] for line in noted(log)]
    note(log, what, message.attempt, os.getpid())
    if what == "once more" and what not in before:
        raise ExceptionForRetry
    if what == "put back" and what not in before:
        raise ExceptionForRequeue
    if what in WAYS:
        return WAYS[what]()
    return [what, message.task_id, message.queue_name]


def dead():
    raise ExceptionForPushToDlxqueue("no use")


def error():
    raise KeyError("error")


def endless():
    while True:
        pass


def in_c():
    """Backtrack for ages without ever letting go of the interpreter's lock."""
    re.match(r"(a+)+$", "a" * 60 + "b")


WAYS = {
    "dead": dead,
    "error": error,
    "lock": threading.Lock,
    "exit": lambda: os._exit(3),
    "segfault": lambda: ctypes.string_at(0),
    "endless": endless,
    "in C": in_c,
}


async def wait_a_little(log, what):
    await asyncio.sleep(0.01)
    here = current_message.get().task_id
    there = await asyncio.to_thread(lambda: current_message.get().task_id)
    note(log, what, here, there)


def gather(calls):
    if any(call["x"] == 7 for call in calls):
        os._exit(3)
    Path(calls[0]["folder"], "-".join(str(call["x"]) for call in calls)).touch()
    return [call["x"] for call in calls]


def start_late():
    time.sleep(1.0)
