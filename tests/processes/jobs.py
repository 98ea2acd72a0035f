"""Tasks of the tests with worker processes; what they do is told by files, since processes come and go."""

import asyncio
import ctypes
import multiprocessing
import os
import sys
import threading
from pathlib import Path

from fsdf import boost
from fsdf_core.testing.history import HistoryLog

FOLDER = Path(os.environ["JOBS_FOLDER"])
KIND = os.environ.get("JOBS_KIND", "SQLITE_QUEUE")

_lock = threading.Lock()
_logs = []


def history():
    """The log of this process, made when a task first runs."""
    with _lock:
        if not _logs:
            (FOLDER / "history").mkdir(exist_ok=True)
            _logs.append(HistoryLog(FOLDER / "history"))
        return _logs[0]


@boost("jobs", broker_kind=KIND, concurrent_num=4)
def job(number, seconds=0.01):
    log = history()
    log.started(number)
    threading.Event().wait(seconds)
    log.ended(number)


@boost("coroutines", broker_kind=KIND, concurrent_mode="async", concurrent_num=50)
async def coroutine(number, seconds=0.01):
    log = history()
    log.started(number)
    await asyncio.sleep(seconds)
    log.ended(number)


@boost("limited", broker_kind=KIND, qps=20, is_using_distributed_frequency_control=True)
def limited(number):
    log = history()
    log.started(number)
    log.ended(number)


@boost("wounded", broker_kind=KIND)
def wounded(number):
    history().ended(number)
    if number == 0:
        dispatcher = next(each for each in threading.enumerate() if each.name == "fsdf-dispatch-wounded")
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(dispatcher.ident), ctypes.py_object(SystemExit))


@boost("grouped-1", broker_kind=KIND, booster_group="group")
def grouped_1(number):
    history().ended(number)


@boost("grouped-2", broker_kind=KIND, booster_group="group")
def grouped_2(number):
    history().ended(number)


if (FOLDER / "broken").exists() and multiprocessing.current_process().name.startswith("fsdf-"):
    sys.exit("broken code")
