"""The main job on the embedded default: a durable SQLite queue, a rate, several threads, a clean end."""

import os
import tempfile
import threading
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fsdf import BrokerEnum, boost

TASKS = 120
QPS = 20
SECONDS_A_TASK = 0.3

console = Console()
finished = threading.Semaphore(0)
threads: set[str] = set()


def work(number: int) -> None:  # noqa: ARG001 - a task has an argument
    threads.add(threading.current_thread().name)
    threading.Event().wait(SECONDS_A_TASK)  # stands for a request that takes its time
    finished.release()


def main() -> None:
    task = boost("demo", qps=QPS, concurrent_num=50, broker_kind=BrokerEnum.SQLITE_QUEUE)(work)
    task.push_many({"number": number} for number in range(TASKS))
    console.print(f"[bold]{task.get_message_count()}[/] tasks wait in a SQLite queue, {QPS} may start a second")
    started = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("done", total=TASKS)
        task.consume()
        while not progress.finished and finished.acquire(timeout=25):
            progress.advance(bar)
    seconds = time.monotonic() - started
    clean = task.stop()
    console.print(
        f"{TASKS} tasks of {SECONDS_A_TASK} s each in {seconds:.1f} s: {(TASKS - 1) / (seconds - SECONDS_A_TASK):.1f} "
        f"a second, by {len(threads)} threads; {'clean end' if clean else 'tasks left'}, "
        f"{task.get_message_count()} messages left"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("FSDF_HOME", folder)
        main()
