"""dramatiq: StubBroker, its in-process broker, with its default middleware."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.stub import StubBroker

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.task import task


class Dramatiq(Driver):
    """`send`, and a Worker in this process."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._broker = StubBroker()
        dramatiq.set_broker(self._broker)
        self._task = dramatiq.actor(task)

    def publish(self, count: int) -> None:
        send = self._task.send
        for number in range(count):
            send(number, 2)

    def start(self) -> None:
        self._worker = dramatiq.Worker(self._broker, worker_threads=self.setting.workers)
        self._worker.start()


build = Dramatiq
