"""huey: MemoryHuey and SqliteHuey with thread workers, results off."""

from __future__ import annotations

from huey import MemoryHuey, SqliteHuey

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.sqlite import equalise
from benchmarks.drivers.task import task


class Huey(Driver):
    """Call the task to publish it; the consumer's defaults but for the worker count."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        if setting.transport == "sqlite":
            equalise()
            self._huey = SqliteHuey("bench", filename=str(setting.folder / "huey.db"), results=False)
        else:
            self._huey = MemoryHuey("bench", results=False)
        self._task = self._huey.task()(task)

    def publish(self, count: int) -> None:
        enqueue = self._task
        for number in range(count):
            enqueue(number, 2)

    def start(self) -> None:
        self._consumer = self._huey.create_consumer(workers=self.setting.workers, worker_type="thread")
        self._consumer.start()


build = Huey
