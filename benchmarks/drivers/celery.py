"""celery with a threads pool and late acks, on kombu's transports."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from celery import Celery as App
from celery.worker import WorkController

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.sqlite import equalise

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFETCH = {"redis": 128, "rabbitmq": 128}
"""Messages per thread; its guide on optimizing advises 50 to 150 for short tasks. Elsewhere unlimited."""


class Celery(Driver):
    """`delay`, and a worker in a thread of this process."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        options: dict[str, Any] = {}
        if setting.transport == "memory":
            url = "memory://"
        elif setting.transport == "sqlite":
            equalise()
            url = f"sqla+sqlite:///{setting.folder / 'celery.sqlite'}"
        else:
            url = setting.address
        if setting.transport == "rabbitmq":
            options["broker_transport_options"] = {"confirm_publish": setting.confirm}
        self._app = App("bench", broker=url)
        self._app.conf.update(
            task_acks_late=True,
            task_default_queue=setting.queue,
            # With the default of 4 the memory transport's worker sleeps a second for every 40 tasks.
            worker_prefetch_multiplier=PREFETCH.get(setting.transport, 0),
            task_ignore_result=True,
            worker_enable_remote_control=False,
            worker_hijack_root_logger=False,
            broker_connection_retry_on_startup=False,
            **options,
        )
        self._task = self._app.task(setting.task, name="task")
        self._app.finalize()
        self._app.set_current()

    def publish(self, numbers: Iterable[int]) -> None:
        delay = self._task.delay
        for number in numbers:
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
