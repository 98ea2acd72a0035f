"""celery with a threads pool and late acks: kombu's memory and SQLAlchemy (SQLite file) transports."""

from __future__ import annotations

import threading

from celery import Celery as App
from celery.worker import WorkController

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.sqlite import equalise
from benchmarks.drivers.task import task


class Celery(Driver):
    """`delay`, and a worker in a thread of this process."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        url = "memory://"
        if setting.transport == "sqlite":
            equalise()
            url = f"sqla+sqlite:///{setting.folder / 'celery.sqlite'}"
        self._app = App("bench", broker=url)
        self._app.conf.update(
            task_acks_late=True,
            # With the default of 4 the worker sleeps a second for every 40 tasks.
            worker_prefetch_multiplier=0,
            task_ignore_result=True,
            worker_enable_remote_control=False,
            worker_hijack_root_logger=False,
            broker_connection_retry_on_startup=False,
        )
        self._task = self._app.task(task, name="task")
        self._app.finalize()
        self._app.set_current()

    def publish(self, count: int) -> None:
        delay = self._task.delay
        for number in range(count):
            delay(number, 2)

    def start(self) -> None:
        self._worker = WorkController(
            app=self._app,
            pool="threads",
            concurrency=self.setting.workers,
            loglevel="ERROR",
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        threading.Thread(target=self._worker.start, daemon=True).start()


build = Celery
